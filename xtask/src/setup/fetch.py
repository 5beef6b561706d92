"""Brings one file from a URL or a path to TARGET, resuming, and checks its SHA-256.

usage: fetch.py SOURCE SHA256 TARGET

Bytes gather in TARGET.part, which a later run continues; TARGET appears only when the digest is right.
Certificates and proxies are those that pip uses.
"""

import fcntl
import hashlib
import http.client
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

ATTEMPTS = 6
CHUNK = 1 << 20


def pip_setting(name):
    """Asks the environment, then pip's configuration files."""
    if os.environ.get("PIP_" + name.upper()):
        return os.environ["PIP_" + name.upper()]
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    found = re.search(r"^(?:global|install|download)\." + name + r"='(.*)'$", listed, re.MULTILINE)
    return found.group(1) if found else None


def opener():
    certificates = pip_setting("cert") or os.environ.get("REQUESTS_CA_BUNDLE")
    context = ssl.create_default_context(cafile=certificates or None)
    handlers = [urllib.request.HTTPSHandler(context=context)]
    proxy = pip_setting("proxy")
    if proxy:
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    return urllib.request.build_opener(*handlers)


def show(done, total, name, state):
    """One line that is rewritten on a terminal; a line for every tenth elsewhere."""
    tenth = done * 10 // total if total else 0
    if sys.stderr.isatty():
        sys.stderr.write(f"\r  {name}: {done >> 20} of {total >> 20} MiB ")
        if done == total:
            sys.stderr.write("\n")
    elif tenth != state.get("tenth"):
        sys.stderr.write(f"  {name}: {done >> 20} of {total >> 20} MiB\n")
    state["tenth"] = tenth
    sys.stderr.flush()


def continue_download(source, part, open_url):
    """Fetches what is missing behind the bytes of PART; a server that cannot do that starts again."""
    have = os.path.getsize(part) if os.path.exists(part) else 0
    request = urllib.request.Request(source, headers={"Range": f"bytes={have}-"} if have else {})
    name = os.path.basename(urllib.parse.urlsplit(source).path)
    state = {}
    try:
        response = open_url.open(request, timeout=60)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # Nothing is missing, or the part is too long; the digest decides.
            return
        raise
    with response, open(part, "ab" if response.status == 206 else "wb") as out:
        done = have if response.status == 206 else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else 0
        while chunk := response.read(CHUNK):
            out.write(chunk)
            done += len(chunk)
            show(done, total, name, state)
        if total and done < total:
            raise ConnectionError(f"the connection ended after {done} of {total} bytes")


def download(source, part):
    open_url = opener()
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return continue_download(source, part, open_url)
        except urllib.error.HTTPError as error:
            if error.code < 500 or attempt == ATTEMPTS:
                raise
            reason = error
        except (OSError, http.client.HTTPException) as error:
            if attempt == ATTEMPTS:
                raise
            reason = error
        sys.stderr.write(f"  {reason}; continuing (attempt {attempt + 1} of {ATTEMPTS})\n")
        time.sleep(attempt)
    return None


def digest(path):
    sum_ = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            sum_.update(chunk)
    return sum_.hexdigest()


def main():
    source, expected, target = sys.argv[1:]
    part = target + ".part"
    # Held until we end: the script of a set-up that was killed may still be writing.
    lock = open(target + ".lock", "w", encoding="utf-8")
    fcntl.flock(lock, fcntl.LOCK_EX)
    if os.path.exists(target):
        return
    try:
        url = urllib.parse.urlsplit(source)
        if url.scheme in ("http", "https"):
            download(source, part)
        else:
            shutil.copyfile(urllib.request.url2pathname(url.path) if url.scheme == "file" else source, part)
    except (OSError, http.client.HTTPException) as error:
        sys.exit(f"  cannot fetch {os.path.basename(source)}: {error}")
    found = digest(part)
    if found != expected:
        os.remove(part)
        sys.exit(
            f"  {os.path.basename(source)} has the SHA-256 {found} instead of {expected} and was deleted;"
            " run this again, and if it persists look at where pip gets its files"
        )
    os.replace(part, target)
    os.remove(lock.name)


main()
