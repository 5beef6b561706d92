//! Normalizing flows.
