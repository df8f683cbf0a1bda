"""`star57 audit` and `star57 retention` as an operator types them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from sqlalchemy.engine import Connection
from typer.testing import CliRunner, Result

from host_tools.cli.audit.main import audit
from host_tools.cli.retention import retention
from host_tools.service.audit import triggers, verify
from host_tools.service.audit.checkpoint import Checkpoints
from host_tools.service.audit.log import AuditLog, Filter, Shown
from host_tools.service.settings import Settings
from host_tools.service.store import run_once
from tests.host.service.audit.authority import Authority
from tests.host.service.audit.test_export import take_triggers_away

AT = 1767268800  # 2026-01-01 12:00:00 UTC
Star57 = Callable[..., Result]


@pytest.fixture
def star57(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Star57:
    """Runs a command on a store with two rows."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"STAR57_{name.upper()}", raising=False)
    monkeypatch.setenv("STAR57_DATABASE", database_url)
    app = typer.Typer()
    app.add_typer(audit, name="audit")
    app.command()(retention)

    def write(connection: Connection) -> None:
        triggers.install(connection)
        for number in range(2):
            AuditLog(connection).append(AT + number, "ann", "bill.read", "")

    run_once(database_url, write)
    return lambda *words: CliRunner().invoke(app, list(words))


def rows(database_url: str, action: str) -> list[Shown]:
    return run_once(database_url, lambda connection: AuditLog(connection).newest(50, Filter(action=action)))


def test_the_log_is_verified_and_the_verification_is_in_it(star57: Star57, database_url: str) -> None:
    done = star57("audit", "verify")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == "the log is proven"
    (row,) = rows(database_url, "audit.verified")
    assert (row.actor, row.details["is_proven"], row.details["last"]) == ("command", True, 2)
    known = f"{row.details['last']}:{row.details['hash']}"
    assert star57("audit", "verify", "--known", known).exit_code == 0
    assert star57("audit", "verify", "--known", f"2:{'0' * 64}").exit_code == 1
    assert "--known is not a row's number" in star57("audit", "verify", "--known", "2").stderr


def test_what_is_wrong_is_said_and_is_the_exit_status(star57: Star57, database_url: str) -> None:
    def tamper(connection: Connection) -> None:
        take_triggers_away(connection)
        connection.exec_driver_sql("UPDATE audit SET actor = 'bob' WHERE sequence = 1")

    run_once(database_url, tamper)
    done = star57("audit", "verify")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == "row 1: was changed: its hash does not cover what it says"
    assert rows(database_url, "audit.verified")[0].details["wrong"] == 1


def test_an_export_is_verified_on_its_own(star57: Star57, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    done = star57("audit", "export", str(file))
    assert (done.exit_code, done.stdout) == (0, "4 lines\n")
    assert verify.main([str(file)]) == 0
    assert json.loads(file.read_text().splitlines()[2])["action"] == "audit.exported"
    again = star57("audit", "export", str(file))
    assert (again.exit_code, again.stderr) == (1, f"star57 audit: {file} cannot be written: File exists\n")


def test_an_export_that_failed_leaves_no_file(star57: Star57, tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    done = star57("audit", "export", str(file), "--database", f"sqlite:///{tmp_path}/missing.sqlite")
    assert (done.exit_code, file.exists()) == (1, False)
    assert "there is no database" in done.stderr


def test_a_checkpoint_is_made(star57: Star57, database_url: str) -> None:
    done = star57("audit", "checkpoint")
    assert done.exit_code == 0
    assert done.stdout.startswith("checkpoint at row 2: ")
    assert rows(database_url, "checkpoint.made")[0].actor == "command"


def test_a_checkpoint_is_time_stamped_or_says_why_not(
    star57: Star57, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAR57_TIME_STAMP_URL", authority.url)
    done = star57("audit", "checkpoint")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "set STAR57_TIME_STAMP_CERTIFICATES to the certificate of the authority" in done.stderr
    monkeypatch.setenv("STAR57_TIME_STAMP_CERTIFICATES", str(authority.root))
    authority.stop()
    done = star57("audit", "checkpoint")
    assert done.exit_code == 1
    assert done.stdout.startswith("checkpoint at row 2: ")
    assert "kept without a time stamp, and the next run asks again: http://127.0.0.1" in done.stderr
    authority.restart()
    done = star57("audit", "checkpoint")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[1:] == [
        "time-stamped: the checkpoint at row 3",
        "time-stamped: the checkpoint at row 2",
    ]
    done = star57("audit", "verify")
    assert done.exit_code == 0
    assert "time stamps: 2, the last that is right at row 3" in done.stdout


def test_settings_come_from_the_file_too(
    star57: Star57, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "star57.toml"
    file.write_text(f'time_stamp_url = "{authority.url}"\ntime_stamp_certificates = "{authority.root}"\n')
    monkeypatch.setenv("STAR57_SETTINGS_FILE", str(file))
    assert "time-stamped: the checkpoint at row 2" in star57("audit", "checkpoint").stdout
    file.write_text("retention_sealed_days = 0\n")
    wrong = star57("retention")
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("star57 retention: set STAR57_RETENTION_SEALED_DAYS right: ")


def test_an_empty_log_has_no_checkpoint(star57: Star57, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.sqlite"
    run_once(url, lambda connection: None)
    done = star57("audit", "checkpoint", "--database", url)
    assert (done.exit_code, done.stderr) == (1, "star57 audit: there is no row to make a checkpoint of\n")


@pytest.mark.parametrize("words", [("audit", "verify"), ("audit", "checkpoint"), ("retention",)])
def test_a_database_that_is_none_is_told(star57: Star57, tmp_path: Path, words: tuple[str, ...]) -> None:
    for url, status in (("mysql://x/y", 2), (f"sqlite:///{tmp_path}/missing.sqlite", 1)):
        done = star57(*words, "--database", url)
        assert (done.exit_code, done.stdout) == (status, "")
        assert done.stderr.startswith(f"star57 {words[0]}: ")
        assert len(done.stderr.splitlines()) == 1


def test_retention_says_what_is_due_and_deletes_it(star57: Star57, database_url: str) -> None:
    run_once(database_url, lambda connection: Checkpoints(connection).make(AT + 9, "command"))
    assert "0 rows of the audit log (older than 3650 days) due" in star57("retention", "--dry-run").stdout
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("STAR57_RETENTION_AUDIT_DAYS", "1")
        due = star57("retention", "--dry-run")
        assert (due.exit_code, rows(database_url, "retention.deleted")) == (0, [])
        assert "2 rows of the audit log (older than 1 days) due" in due.stdout
        done = star57("retention")
        assert "2 rows of the audit log (older than 1 days) deleted" in done.stdout
    (row,) = rows(database_url, "retention.deleted")
    assert (row.actor, row.subject, row.details["rows"]) == ("command", "audit", 2)
    verified = star57("audit", "verify")
    assert verified.exit_code == 0
    assert "rows 3 to 4 were read" in verified.stdout


def test_retention_that_contradicts_itself_is_told(star57: Star57, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAR57_RETENTION_TRACES_DAYS", "10")
    done = star57("retention")
    assert done.exit_code == 2
    assert "retention_traces_days is at least retention_sealed_days" in done.stderr
