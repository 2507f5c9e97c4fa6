"""Grants no longer lock their client's row: all logins of a client would share that lock.

services/psc/service/clients.py removes the grants of a client that goes.
"""

from socle.db.script import run_script

revision = "psc_0008"
down_revision = "psc_0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_script("ALTER TABLE psc.client_grant DROP CONSTRAINT fk_client_grant_client_id_client")


def downgrade() -> None:
    run_script(
        """
        ALTER TABLE psc.client_grant ADD CONSTRAINT fk_client_grant_client_id_client
            FOREIGN KEY (space, client_id) REFERENCES psc.client (space, client_id)
            ON DELETE CASCADE
        """
    )
