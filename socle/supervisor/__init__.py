"""Runs the processes of Socle as one: start order, logs, restarts and a clean stop."""

from socle.supervisor.forking import ForkServer
from socle.supervisor.readiness import Probe, http_probe
from socle.supervisor.spec import ProcessSpec, RestartPolicy
from socle.supervisor.supervisor import Supervisor

__all__ = ["ForkServer", "Probe", "ProcessSpec", "RestartPolicy", "Supervisor", "http_probe"]
