"""The base systems of the machines in the tests: Debian 12 and 13 with systemd and PostgreSQL, without heartbeat."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

# What heartbeat depends on is here, because a machine has no network to fetch it from. curl and sudo are for
# the tests.
PACKAGES = """
    systemd systemd-sysv dbus libnss-systemd init-system-helpers adduser iproute2 procps netbase tzdata ca-certificates
    curl sudo locales postgresql libpq5 librdkafka1 libstdc++6 libjs-chart.js
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


CODENAMES = {"12": "bookworm", "13": "trixie"}


def own_release():
    """This system's Debian."""
    for line in Path("/etc/os-release").read_text().splitlines():
        if line.startswith("VERSION_ID=") and line.split("=", 1)[1].strip('"') in CODENAMES:
            return line.split("=", 1)[1].strip('"')
    raise SystemExit(f"system tests: this is no Debian {' or '.join(CODENAMES)}")


def releases():
    """Where a package runs that was built here: this Debian and those after it."""
    return [release for release in CODENAMES if int(release) >= int(own_release())]


def _sources(codename):
    """The machine's own apt sources, as lines, with another release in the place of its own.

    Only those of Debian count: what else a machine has may not have that release.
    """
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "deb $(REPO_URI) $(CODENAME) $(COMPONENT)",
         "Created-By: Packages", "Origin: Debian"], check=True, capture_output=True, text=True).stdout
    lines = {target.replace(f" {CODENAMES[own_release()]}", f" {codename}") for target in targets.splitlines()}
    if not lines:
        raise SystemExit("system tests: apt knows no archive of Debian; is apt-get update needed?")
    return sorted(lines)


def base(release):
    """The folder of a release's base system."""
    return _built(release, PACKAGES, CUSTOMIZE)


def tools(release):
    """The folder of a system with a release's own checks of packages."""
    return _built(release, ["lintian"], "true")


def _built(release, packages, customize):
    """Builds a system when this recipe has not been built on this machine before."""
    codename = CODENAMES[release]
    sources = _sources(codename)
    recipe = repr([packages, customize, codename, sources])
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "heartbeat"
    folder = cache / ("system-" + hashlib.sha256(recipe.encode()).hexdigest()[:16])
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    print(f"system tests: building a system of Debian {release}; that takes a minute, and once", flush=True)
    unfinished = cache / f"unfinished-{os.getpid()}-{folder.name}"
    command = [
        "mmdebstrap", "--quiet", "--mode=root", "--variant=apt",
        # The sources may be a snapshot of an earlier day.
        "--aptopt=Acquire::Check-Valid-Until \"false\"", "--aptopt=Acquire::Languages \"none\"",
        "--aptopt=APT::Install-Recommends \"false\"", "--dpkgopt=force-unsafe-io",
        "--include=" + ",".join(packages), "--customize-hook=" + customize,
        codename, str(unfinished), *sources,
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
            raise SystemExit(f"system tests: unable to build the system:\n{done.stderr}")
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def next_release(release):
    """What apt needs to make the next release of a base system, without a network.

    A folder with the lists and the packages, and the lines of the sources.
    """
    codename = CODENAMES[str(int(release) + 1)]
    sources = _sources(codename)
    system = base(release)
    folder = system.parent / f"upgrade-{hashlib.sha256(repr([system.name, sources]).encode()).hexdigest()[:16]}"
    if folder.is_dir():
        return folder, sources
    print(f"system tests: fetching the upgrade of Debian {release}; that takes minutes, and once", flush=True)
    unfinished = folder.parent / f"unfinished-{os.getpid()}-upgrade"
    for name in ["lists/partial", "archives/partial"]:
        (unfinished / name).mkdir(parents=True)
    (unfinished / "sources.list").write_text("".join(line + "\n" for line in sources))
    apt = [
        "apt-get", "--yes", "--quiet", "--no-install-recommends",
        "-o", f"Dir::Etc::SourceList={unfinished}/sources.list", "-o", "Dir::Etc::SourceParts=/dev/null",
        "-o", f"Dir::State::Lists={unfinished}/lists", "-o", f"Dir::State::status={system}/var/lib/dpkg/status",
        "-o", f"Dir::State::extended_states={system}/var/lib/apt/extended_states",
        "-o", f"Dir::Cache={unfinished}", "-o", f"Dir::Cache::Archives={unfinished}/archives",
        "-o", "APT::Sandbox::User=root", "-o", "Acquire::Check-Valid-Until=false", "-o", "Acquire::Languages=none",
    ]
    try:
        for step in [["update"], ["--download-only", "full-upgrade"]]:
            done = subprocess.run([*apt, *step], stdin=subprocess.DEVNULL, capture_output=True, text=True)
            if done.returncode != 0:
                raise SystemExit(f"system tests: unable to fetch the upgrade:\n{done.stdout}{done.stderr}")
        unfinished.rename(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder, sources


if __name__ == "__main__":
    print(base(sys.argv[1]))
