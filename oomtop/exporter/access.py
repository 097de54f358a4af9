"""Access control of scrapes, from files: certificate and key for TLS, a CA for clients, `user:password` lines."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping

from oomtop.errors import OomtopError
from oomtop.host.trusted_file import UntrustedFile, open_trusted, read_bounded, require_regular

_OTHERS = 0o077


def make_context(certificate: str, key: str, client_ca: str | None) -> ssl.SSLContext:
    """Return the TLS context of the server, TLS 1.2 or newer; with a CA, clients have to show a certificate of it.

    Raises:
        OomtopError: a file is missing or holds something else.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        for path in (certificate, key):
            require_regular(path)
        context.load_cert_chain(certificate, key)
    except UntrustedFile as error:
        raise OomtopError(f"{error.filename}: {error.reason}") from None
    except OSError as error:
        reason = error.strerror or error
        raise OomtopError(f"{certificate}, {key}: cannot load certificate and key: {reason}") from None
    if client_ca is not None:
        try:
            require_regular(client_ca)
            context.load_verify_locations(cafile=client_ca)
        except UntrustedFile as error:
            raise OomtopError(f"{error.filename}: {error.reason}") from None
        except OSError as error:
            raise OomtopError(f"{client_ca}: cannot load CA certificates: {error.strerror or error}") from None
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def read_users(path: str) -> Mapping[str, str]:
    """Return user to password of a file with one `user:password` a line, which nobody else may read.

    Raises:
        OomtopError: the file cannot be read, others may read it, or a line has another shape.
    """
    try:
        with open(open_trusted(path), "rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise OomtopError(f"{path}: other users can read the passwords; use chmod 600")
            lines = read_bounded(file.fileno(), path).decode().splitlines()
    except OSError as error:
        raise OomtopError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise OomtopError(f"{path}: cannot be read: {error}") from None
    users = {}
    for number, line in enumerate(lines, 1):
        name, colon, password = line.partition(":")
        if not line.strip() or line.startswith("#"):
            continue
        if not (name and colon and password):
            raise OomtopError(f"{path}: line {number}: expected user:password")
        users[name] = password
    if not users:
        raise OomtopError(f"{path}: expected at least one user:password")
    return users
