"""This machine's apt configuration, as an image's."""

from vr.imager.apt import parse_deb822, parse_list, settings, sources_list

DEB822 = """\
# a comment
Types: deb deb-src
# URIs: http://old.example.org/debian
URIs: http://deb.example.org/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/archive.gpg

Types: deb
URIs: http://off.example.org
Suites: x
Components: main
Enabled: no

Types: deb
URIs: https://inline.example.org
Suites: x
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
"""


def test_deb822_becomes_one_line_per_suite() -> None:
    option = "[signed-by=/usr/share/keyrings/archive.gpg]"
    assert sources_list(parse_deb822(DEB822)) == (
        f"deb {option} http://deb.example.org/debian bookworm main contrib\n"
        f"deb {option} http://deb.example.org/debian bookworm-updates main contrib\n"
    )


def test_lists_keep_options_and_lose_sources_disks_and_comments() -> None:
    text = """\
# deb http://no.example.org x main
deb-src http://no.example.org x main
deb cdrom:[x]/ bookworm main
deb file:/srv/mirror bookworm main
deb [arch=amd64 signed-by=/k.gpg] http://deb.example.org/debian bookworm main # ours
deb http://flat.example.org/repo ./
"""
    assert sources_list(parse_list(text)) == (
        "deb [arch=amd64 signed-by=/k.gpg] http://deb.example.org/debian bookworm main\n"
        "deb http://flat.example.org/repo ./\n"
    )


def test_a_source_written_twice_appears_once() -> None:
    line = "deb http://deb.example.org/debian bookworm main\n"
    assert sources_list(parse_list(line * 2)) == line


def test_the_keyring_of_a_source_is_known() -> None:
    assert {source.keyring for source in parse_deb822(DEB822)} == {
        "/usr/share/keyrings/archive.gpg"
    }


def test_only_settings_about_reaching_packages_are_kept() -> None:
    dump = """\
APT::Architecture "amd64";
Acquire "";
Acquire::Check-Valid-Until "false";
Acquire::http::Proxy "http://proxy.example.org:3128";
Acquire::http::Proxy::deb.example.org "DIRECT";
Acquire::https::Verify-Peer "";
DPkg::Post-Invoke:: "rm -f /x";
"""
    assert settings(dump) == (
        'Acquire::Check-Valid-Until "false";\n'
        'Acquire::http::Proxy "http://proxy.example.org:3128";\n'
        'Acquire::http::Proxy::deb.example.org "DIRECT";\n'
    )
