"""Passwords, sessions, wrong tries and lists of people."""

import stat
import time

import pytest
from itsdangerous import URLSafeTimedSerializer
from shell import call, last_json
from typer.testing import CliRunner

from wtflow.access import passwords, sessions
from wtflow.access.attempts import FREE, LONGEST_WAIT_S, MOST_TOGETHER, TOGETHER_S, Attempts
from wtflow.access.passwords import ACCESS, read_passwords, remove_password, set_password
from wtflow.access.people import PEOPLE, People, read_people
from wtflow.access.sessions import LASTS_S, new_session, role_of_session
from wtflow.cli.app import app
from wtflow.errors import AccessError
from wtflow.permission import LOOK, TRAIN

TRAINERS, LOOKERS = "correct horse battery", "staple grüße staple"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Less work for scrypt; one test reads what is used otherwise."""
    monkeypatch.setattr(passwords, "N", 2**4)


@pytest.fixture
def home(tmp_path):
    set_password(tmp_path, TRAIN, TRAINERS)
    set_password(tmp_path, LOOK, LOOKERS)
    return tmp_path


def test_each_password_opens_its_role_and_others_none(home):
    found = read_passwords(home)
    assert (found.role_of(TRAINERS), found.role_of(LOOKERS)) == (TRAIN, LOOK)
    for wrong in ("", TRAINERS[:-1], TRAINERS + " ", TRAINERS.upper(), "\udcff", "x" * 1_000_000):
        assert found.role_of(wrong) is None, wrong[:20]


def test_an_accent_counts_the_same_however_it_was_typed(home):
    assert read_passwords(home).role_of("staple gru\u0308ße staple") == LOOK


def test_the_file_holds_no_password_and_is_its_owners_alone(home):
    path = home / ACCESS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text(encoding="utf-8")
    assert TRAINERS not in text and LOOKERS not in text
    assert passwords.is_open_to_others(home) is False
    path.chmod(0o640)
    assert passwords.is_open_to_others(home) is True


def test_equal_passwords_of_two_stores_look_different(tmp_path):
    for name in ("a", "b"):
        set_password(tmp_path / name, TRAIN, TRAINERS)
    first, second = (read_passwords(tmp_path / name).passwords[TRAIN] for name in ("a", "b"))
    assert first.salt != second.salt and first.hash != second.hash


def test_scrypt_costs_what_is_advised(monkeypatch, tmp_path):
    monkeypatch.undo()
    assert 128 * passwords.N * passwords.R >= 2**25, "bytes of memory"
    begun = time.process_time()
    set_password(tmp_path, TRAIN, TRAINERS)
    assert time.process_time() - begun > 0.02, "a guess costs the guesser something, too"


@pytest.mark.parametrize("text", ["", "short", "x" * 1001])
def test_a_password_too_short_or_too_long_is_refused(tmp_path, text):
    with pytest.raises(AccessError, match="10 to 1000 are needed"):
        set_password(tmp_path, TRAIN, text)
    assert not (tmp_path / ACCESS).exists()


def test_two_roles_cannot_share_a_password(home):
    with pytest.raises(AccessError, match="other role"):
        set_password(home, LOOK, TRAINERS)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"version": 1, "name": "ab", "key": "zz", "passwords": {}}'])
def test_a_damaged_file_lets_nobody_in_and_says_so(home, content):
    (home / ACCESS).write_text(content)
    with pytest.raises(AccessError, match="nobody can sign in"):
        read_passwords(home)


def test_a_session_holds_its_role_until_its_time_is_over(home, monkeypatch):
    found = read_passwords(home)
    cookie = new_session(found, LOOK)
    assert role_of_session(found, cookie) == LOOK
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + LASTS_S + 60)
    assert role_of_session(found, cookie) is None


def test_a_forged_session_is_none(home):
    found = read_passwords(home)
    cookie = new_session(found, LOOK)
    payload, when, signature = cookie.split(".")
    as_train = new_session(found, TRAIN).split(".")[0]
    other_key = found.model_copy(update={"key": "00" * 32})
    forged = [
        None,
        "",
        "train",
        cookie[:-1],
        f"{as_train}.{when}.{signature}",
        f"{payload}.{when}.",
        f"{payload}.{when}.{signature[::-1]}",
        new_session(other_key, TRAIN),
        URLSafeTimedSerializer(found.key, salt="other").dumps("train"),
        "a" * 100_000,
        "\udcff.x.y",
    ]
    assert [role_of_session(found, one) for one in forged] == [None] * len(forged)


def test_changing_or_removing_any_password_ends_all_sessions(home):
    before = read_passwords(home)
    cookies = [new_session(before, role) for role in (LOOK, TRAIN)]
    set_password(home, LOOK, "another sentence here")
    after = read_passwords(home)
    assert [role_of_session(after, one) for one in cookies] == [None, None]
    assert sessions.cookie_name(after) == sessions.cookie_name(before)
    cookie = new_session(after, TRAIN)
    assert remove_password(home, LOOK) and not remove_password(home, LOOK)
    assert role_of_session(read_passwords(home), cookie) is None
    remove_password(home, TRAIN)
    assert read_passwords(home) is None


# -- wrong tries -------------------------------------------------------------------------------------------------------


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def test_an_address_waits_longer_and_longer_and_others_do_not():
    clock = Clock()
    attempts = Attempts(clock)
    assert [attempts.begin("10.0.0.1") for _ in range(FREE)] == [0.0] * FREE
    waits = []
    for _ in range(12):
        waits.append(attempts.begin("10.0.0.1"))
        assert waits[-1] > 0
        clock.now += waits[-1] + 0.01
        assert attempts.begin("10.0.0.1") == 0.0
    assert waits[:8] == sorted(waits[:8]) and waits[1] == pytest.approx(2 * waits[0], rel=0.02)
    assert max(waits) == pytest.approx(LONGEST_WAIT_S)
    assert attempts.begin("10.0.0.2") == 0.0


def test_a_try_while_one_has_to_wait_makes_the_wait_no_longer():
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(FREE):
        attempts.begin("a")
    assert attempts.begin("a") == attempts.begin("a")


def test_many_addresses_together_wait_too():
    clock = Clock()
    attempts = Attempts(clock)
    for i in range(MOST_TOGETHER):
        assert attempts.begin(f"10.1.{i // 250}.{i % 250}") == 0.0
    assert 0 < attempts.begin("10.9.9.9") <= TOGETHER_S
    clock.now += TOGETHER_S
    assert attempts.begin("10.9.9.9") == 0.0


def test_right_passwords_use_up_nothing():
    attempts = Attempts(Clock())
    for i in range(3 * MOST_TOGETHER):
        assert attempts.begin("10.0.0.1") == 0.0, i
        attempts.right("10.0.0.1")


def test_the_addresses_of_one_ipv6_network_count_as_one():
    attempts = Attempts(Clock())
    for i in range(FREE):
        assert attempts.begin(f"2001:db8:1:2::{i + 1}") == 0.0
    assert attempts.begin("2001:db8:1:2:ffff::1") > 0
    assert attempts.begin("2001:db8:1:3::1") == 0.0
    for _ in range(FREE):
        attempts.begin("::ffff:10.0.0.7")
    assert attempts.begin("10.0.0.7") > 0


# -- people ------------------------------------------------------------------------------------------------------------


def test_people_are_found_by_address_or_domain_and_strangers_are_not(tmp_path):
    (tmp_path / PEOPLE).write_text('train = ["Anna@Example.org"]\nlook = ["*@example.org", "guest@other.net"]\n')
    people = read_people(tmp_path)
    assert people.role_of("anna@example.ORG") == TRAIN
    assert people.role_of("bert@example.org") == LOOK
    assert people.role_of("guest@other.net") == LOOK
    for stranger in (
        "anna@example.org.evil.net",
        "x@evil.net",
        "*@evil.net",
        "",
        None,
        3,
        "example.org",
        "@example.org.",
    ):
        assert people.role_of(stranger) is None, stranger
    assert people.role_of("anna@example.org", is_verified=False) is None


def test_without_the_file_nobody_is_known(tmp_path):
    assert read_people(tmp_path) is None
    assert People().role_of("anna@example.org") is None


@pytest.mark.parametrize(
    "text",
    ["train = 3", 'trains = ["a@b.de"]', 'look = ["*"]', 'look = ["*@*"]', 'look = ["a*@b.de"]', "train = [", "\xff"],
)
def test_a_list_that_is_not_valid_says_what_is_needed(tmp_path, text):
    (tmp_path / PEOPLE).write_text(text, encoding="latin-1")
    with pytest.raises(AccessError, match=PEOPLE):
        read_people(tmp_path)


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_command_takes_the_password_from_its_input_never_from_its_arguments(tmp_path, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path))
    done = CliRunner().invoke(app, ["password", "--role", "look", "--json"], input=f"{LOOKERS}\n")
    assert done.exit_code == 0
    assert last_json(done.stdout) == {"home": str(tmp_path), "roles": ["look"]}
    assert LOOKERS not in done.output
    assert read_passwords(tmp_path).role_of(LOOKERS) == LOOK
    assert call("password", "--role", "look", "--remove").exit_code == 0
    assert read_passwords(tmp_path) is None


def test_the_command_refuses_what_is_no_role(tmp_path, monkeypatch):
    monkeypatch.setenv("WTFLOW_HOME", str(tmp_path))
    done = call("password", "--role", "admin")
    assert done.exit_code == 2 and "look or train" in done.stderr
