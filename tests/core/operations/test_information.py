"""What can be known of a connection."""

from __future__ import annotations

from httpure_core.operations.information import Connected, extra_info

from .stepping import World


def test_it_is_what_the_link_says() -> None:
    world = World()
    world.get()
    assert extra_info(world.wire, "server_addr") is None
    world.wire.extra_info = {"server_addr": ("192.0.2.1", 80)}.get  # type: ignore[attr-defined]
    assert extra_info(world.wire, "server_addr") == ("192.0.2.1", 80)
    assert Connected(world.wire).get_extra_info("server_addr") == ("192.0.2.1", 80)
    assert repr(Connected(world.wire)) == "<connection from None to ('192.0.2.1', 80)>"


def test_of_tls() -> None:
    world = World()
    world.get("https://example.org/")
    assert extra_info(world.wire, "ssl_object") is None
    world.tls.machines[0].ssl_object = "it"  # type: ignore[attr-defined]
    assert extra_info(world.wire, "ssl_object") == "it"
