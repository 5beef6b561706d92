"""The wire, generated from proto/spillway/v1 by generate.py: messages, services and their type stubs."""
