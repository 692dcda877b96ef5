"""The base system of every machine in the tests: Debian with systemd and PostgreSQL, without heartbeat."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

# What heartbeat depends on is here, because a machine has no network to fetch it from. curl is for the tests.
PACKAGES = """
    systemd systemd-sysv dbus libnss-systemd init-system-helpers adduser iproute2 procps netbase tzdata ca-certificates
    curl postgresql libpq5 librdkafka1 libsimdjson14 libstdc++6 libjs-chart.js
""".split()

# Runs in the new system ($1 is its root) when the packages are in it.
CUSTOMIZE = r"""
    set -eu
    # A fixed id: with an empty one systemd takes each boot for the first and enables what is preset.
    echo 8f3d2c1b0a994e7d8c6b5a4938271605 >"$1/etc/machine-id"
    # Nothing but what is tested shall start by itself.
    for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer \
        systemd-logind.service; do
        ln -sf /dev/null "$1/etc/systemd/system/$unit"
    done
    # Every line of the journal counts, also those from before a reboot.
    mkdir -p "$1/etc/systemd/journald.conf.d"
    printf '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nSystemMaxUse=256M\n' \
        >"$1/etc/systemd/journald.conf.d/tests.conf"
    # The installer looks for a free port, but on the machine that builds this.
    conf=$(echo "$1"/etc/postgresql/*/main)
    sed -i 's/^port = .*/port = 5432/' "$conf/postgresql.conf"
    # A machine's disk is memory that goes when it goes: waiting for it proves nothing.
    echo 'fsync = off' >"$conf/conf.d/tests.conf"
"""


def _sources():
    """The machine's own apt sources, as far as they are enabled."""
    files = [Path("/etc/apt/sources.list")]
    files += sorted(Path("/etc/apt/sources.list.d").glob("*.list"))
    files += sorted(Path("/etc/apt/sources.list.d").glob("*.sources"))
    return [path for path in files if path.is_file() and path.read_text().strip()]


def _codename():
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_CODENAME="):
            return line.split("=", 1)[1].strip('"')
    raise SystemExit("system tests: /etc/os-release has no VERSION_CODENAME")


def base():
    """The folder of the base system; builds it when this recipe has not been built on this machine before."""
    sources = _sources()
    recipe = repr([PACKAGES, CUSTOMIZE, _codename(), [path.read_text() for path in sources]])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "heartbeat"
    folder = cache / ("system-" + hashlib.sha256(recipe.encode()).hexdigest()[:16])
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    print("system tests: building the base system; that takes a minute, and once", flush=True)
    unfinished = cache / f"unfinished-{os.getpid()}"
    command = [
        "mmdebstrap", "--quiet", "--mode=root", "--variant=apt",
        # The sources may be a snapshot of an earlier day.
        "--aptopt=Acquire::Check-Valid-Until \"false\"", "--aptopt=Acquire::Languages \"none\"",
        "--aptopt=APT::Install-Recommends \"false\"", "--dpkgopt=force-unsafe-io",
        "--include=" + ",".join(PACKAGES), "--customize-hook=" + CUSTOMIZE,
        _codename(), str(unfinished), *map(str, sources),
    ]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit(f"system tests: unable to build the base system:\n{done.stderr}")
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


if __name__ == "__main__":
    print(base())
