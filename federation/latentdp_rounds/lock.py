"""Locks the startup kit of a site or of the coordinator: ``python -m latentdp_rounds.lock KIT``.

FLARE's defaults let a leader of the project send code of their own, run some shell commands and
receive logs. After this a site builds no class but `Carrier`, refuses jobs that bring code, and
streams no log. It is run once, by whoever holds the kit, before its first start.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

__all__ = ["lock"]

SITE = ["latentdp_rounds.site.Carrier"]
COORDINATOR = ["latentdp_rounds.coordinator.Rounds"]
LOGS = ("site_log_streamer", "log_receiver")
FORBIDDEN = ("byoc", "shell_commands", "server-predeployed-flwr")


def lock(kit: Path) -> None:
    """Writes ``local/resources.json`` and ``local/authorization.json`` of a kit.

    Args:
        kit: Folder of the kit, as ``nvflare provision`` made it.

    Raises:
        OSError: It is no such folder.
    """
    local = kit.resolve() / "local"
    coordinates = (kit / "startup" / "fed_server.json").is_file()
    resources = json.loads((local / "resources.json.default").read_text())
    resources["class_list_enforcement_mode"] = "enforce"
    resources["class_allow_list"] = COORDINATOR if coordinates else SITE
    resources["allow_log_streaming"] = False
    resources["components"] = [c for c in resources["components"] if c["id"] not in LOGS]
    if coordinates:  # in its own folder instead of one that all users of the machine share
        kept = str(local.parent / "kept")
        resources["snapshot_persistor"]["args"]["storage"]["args"]["root_dir"] = (
            f"{kept}/snapshots"
        )
        for component in resources["components"]:
            if component["id"] == "job_manager":
                component["args"]["uri_root"] = f"{kept}/jobs"
    rights = json.loads((local / "authorization.json.default").read_text())
    for role, may in rights["permissions"].items():
        if may == "any":  # everything: what is left of it is looking on
            rights["permissions"][role] = {"view": "any"}
        else:
            may.update(dict.fromkeys(FORBIDDEN, "none"))
    (local / "resources.json").write_text(json.dumps(resources, indent=2) + "\n")
    (local / "authorization.json").write_text(json.dumps(rights, indent=2) + "\n")


if __name__ == "__main__":
    lock(Path(sys.argv[1]))
