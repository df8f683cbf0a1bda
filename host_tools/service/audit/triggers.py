"""What keeps the audit log as it is in the database itself: no row is changed, and none deleted but at the beginning.

A row may be deleted once a checkpoint at it, or after it, is marked as pruned. Of a checkpoint only two things change,
once: it gets its time stamp, and it is marked as pruned. Who may alter the tables can still take the triggers away;
then the chain of hashes shows what was done.
"""

from __future__ import annotations

from sqlalchemy.engine import Connection

_SQLITE = (
    """
    CREATE TRIGGER IF NOT EXISTS audit_is_never_changed BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'an audit row is never changed'); END
    """,
    # INSERT OR REPLACE deletes without a trigger's knowing.
    """
    CREATE TRIGGER IF NOT EXISTS audit_is_never_replaced BEFORE INSERT ON audit
    WHEN EXISTS (SELECT 1 FROM audit WHERE sequence = NEW.sequence)
    BEGIN SELECT RAISE(ABORT, 'an audit row is never changed'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS audit_is_only_pruned BEFORE DELETE ON audit
    WHEN NOT EXISTS (SELECT 1 FROM checkpoints WHERE is_pruned AND sequence >= OLD.sequence)
    BEGIN SELECT RAISE(ABORT, 'an audit row is deleted only before a checkpoint that is marked as pruned'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS checkpoints_are_only_marked BEFORE UPDATE ON checkpoints
    WHEN NEW.sequence <> OLD.sequence OR NEW.hash <> OLD.hash OR NEW.made_at <> OLD.made_at
      OR (OLD.time_stamp IS NOT NULL AND NEW.time_stamp IS NOT OLD.time_stamp)
      OR (OLD.is_pruned AND NOT NEW.is_pruned)
    BEGIN SELECT RAISE(ABORT, 'a checkpoint only gets a time stamp, once, and the mark of pruning'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS checkpoints_are_never_replaced BEFORE INSERT ON checkpoints
    WHEN EXISTS (SELECT 1 FROM checkpoints WHERE sequence = NEW.sequence)
    BEGIN SELECT RAISE(ABORT, 'a checkpoint only gets a time stamp, once, and the mark of pruning'); END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS checkpoints_are_kept BEFORE DELETE ON checkpoints
    BEGIN SELECT RAISE(ABORT, 'a checkpoint is never deleted'); END
    """,
)

_POSTGRESQL = (
    """
    CREATE OR REPLACE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            RAISE EXCEPTION 'an audit row is never changed' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF TG_OP = 'DELETE' THEN
            IF EXISTS (SELECT 1 FROM checkpoints WHERE is_pruned AND sequence >= OLD.sequence) THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'an audit row is deleted only before a checkpoint that is marked as pruned'
            USING ERRCODE = 'integrity_constraint_violation';
    END $$
    """,
    """
    CREATE OR REPLACE FUNCTION checkpoints_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'UPDATE' THEN
            RAISE EXCEPTION 'a checkpoint is never deleted' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.sequence <> OLD.sequence OR NEW.hash <> OLD.hash OR NEW.made_at <> OLD.made_at
            OR (OLD.time_stamp IS NOT NULL AND NEW.time_stamp IS DISTINCT FROM OLD.time_stamp)
            OR (OLD.is_pruned AND NOT NEW.is_pruned)
        THEN
            RAISE EXCEPTION 'a checkpoint only gets a time stamp, once, and the mark of pruning'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NEW;
    END $$
    """,
    """
    CREATE OR REPLACE TRIGGER audit_is_kept BEFORE UPDATE OR DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION audit_refuses()
    """,
    """
    CREATE OR REPLACE TRIGGER audit_is_not_truncated BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()
    """,
    """
    CREATE OR REPLACE TRIGGER checkpoints_are_kept BEFORE UPDATE OR DELETE ON checkpoints
    FOR EACH ROW EXECUTE FUNCTION checkpoints_refuse()
    """,
    """
    CREATE OR REPLACE TRIGGER checkpoints_are_not_truncated BEFORE TRUNCATE ON checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION checkpoints_refuse()
    """,
)
_OF_DIALECT = {"sqlite": _SQLITE, "postgresql": _POSTGRESQL}


def statements(dialect_name: str) -> tuple[str, ...]:
    """The statements for "sqlite" or "postgresql", to be executed one by one; done twice they change nothing."""
    return _OF_DIALECT[dialect_name]


def install(connection: Connection) -> None:
    """Makes the triggers, on tables that are there; those that are there already stay."""
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
