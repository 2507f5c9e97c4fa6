"""Serves an application with uvicorn, the same way everywhere."""

import uvicorn
from fastapi import FastAPI


def serve(app: FastAPI, host: str, port: int) -> None:
    """Until SIGTERM or SIGINT; requests in flight are given ten seconds."""
    uvicorn.run(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        server_header=False,
        date_header=True,
        # Longer than the gateway keeps its idle connections, so that it never meets one that
        # is being closed.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=10,
        backlog=2048,
    )
