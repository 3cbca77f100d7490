"""What people write after `auth=`, as an `Auth`."""

from __future__ import annotations

from .basic import BasicAuth
from .flow import Auth, AuthTypes, FunctionAuth

__all__ = ["build_auth"]


def build_auth(auth: AuthTypes | None) -> Auth | None:
    """Make an `Auth` of a (username, password) tuple, a function or an `Auth`; None stays None.

    Raises TypeError for anything else, naming its type but never its value.
    """
    if auth is None or isinstance(auth, Auth):
        return auth
    if isinstance(auth, tuple):
        if len(auth) != 2:
            raise TypeError(f'An "auth" tuple is (username, password), not a tuple of {len(auth)}.')
        return BasicAuth(*auth)
    if callable(auth):
        return FunctionAuth(auth)
    raise TypeError(
        'Invalid "auth" argument: give a (username, password) tuple, a function or an Auth, '
        f"not {type(auth).__name__}."
    )
