"""From a bare python3 to the locked environment in `.venv`, then on to the real command line.

Only the standard library, and less than all of it: Debian's python3 comes without pip, venv and ensurepip.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".reglament"
VIRTUAL_ENVIRONMENT = ROOT / ".venv"
PYTHON = VIRTUAL_ENVIRONMENT / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VIRTUAL_ENVIRONMENT / "reglament-lock.sha256"
UV_TARGET = STATE / "uv"
UV_REQUIREMENT = "uv>=0.9"
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# Debian's python3-pip-whl, there for venv's sake, is a pip that runs straight from the wheel.
DEBIAN_WHEELS = Path("/usr/share/python-wheels")
PIP_PACKAGE = "python3-pip"


class BootstrapError(Exception):
    """One line for the operator."""


def main() -> int:
    """Replace this process by the real command line; return 1 where that fails."""
    try:
        if not is_current():
            with exclusive():
                # A process that waited for the lock finds the work done.
                if not is_current():
                    synchronise()
        os.chdir(ROOT)
        os.execve(PYTHON, [str(PYTHON), "-m", "devtools", *sys.argv[1:]], command_environment())
    except BootstrapError as error:
        print(f"reglament: {error}", file=sys.stderr)
    except OSError as error:
        print(f"reglament: cannot prepare {error.filename or STATE}: {error.strerror or error}", file=sys.stderr)
    return 1


def is_current() -> bool:
    """Return whether the environment exists, its interpreter runs, and it was made from this lock file."""
    return os.access(PYTHON, os.X_OK) and STAMP.is_file() and STAMP.read_text() == lock_hash()


def lock_hash() -> str:
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


@contextmanager
def exclusive() -> Iterator[None]:
    """Hold the lock: two simultaneous first commands do the work once."""
    STATE.mkdir(exist_ok=True)
    with (STATE / "bootstrap.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def synchronise() -> None:
    environment = tool_environment()
    uv = find_uv() or install_uv(environment)
    if not works([str(PYTHON), "-c", ""]):
        report_progress("creating .venv")
        run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(VIRTUAL_ENVIRONMENT)], environment)
    report_progress("installing the locked packages into .venv")
    target = ["--python", str(PYTHON)]
    run([uv, "pip", "sync", "--quiet", "--require-hashes", *target, str(LOCK)], environment)
    STAMP.write_text(lock_hash())


def tool_environment() -> dict[str, str]:
    """Return the environment of uv and pip.

    Caches go into the checkout where there is no writable home; the system's certificates are trusted.
    """
    environment = dict(os.environ)
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    environment.pop("VIRTUAL_ENV", None)
    environment.pop("PYTHONPATH", None)
    if SYSTEM_CERTIFICATES.exists():
        # Both spellings: the older one until uv 0.10, the newer one since.
        environment.setdefault("UV_NATIVE_TLS", "true")
        environment.setdefault("UV_SYSTEM_CERTS", "true")
    home = environment.get("HOME", "")
    if not home or not os.access(home, os.W_OK):
        environment["HOME"] = str(STATE)
        environment.setdefault("UV_CACHE_DIR", str(STATE / "cache" / "uv"))
        environment.setdefault("PIP_CACHE_DIR", str(STATE / "cache" / "pip"))
    return environment


def command_environment() -> dict[str, str]:
    """Return the environment of the command: where `__pycache__` is unwanted, bytecode is kept in `.reglament`.

    Compiling every module at every start costs seconds.
    """
    environment = dict(os.environ)
    if environment.pop("PYTHONDONTWRITEBYTECODE", None):
        environment.setdefault("PYTHONPYCACHEPREFIX", str(STATE / "cache" / "python"))
    return environment


def find_uv() -> str | None:
    for candidate in (str(UV_TARGET / "bin" / "uv"), shutil.which("uv")):
        if candidate and works([candidate, "pip", "sync", "--help"]):
            return candidate
    return None


def install_uv(environment: dict[str, str]) -> str:
    """Install uv into the checkout by the first way that works: pip, Debian's pip wheel for venv, pip from apt."""
    report_progress("installing uv into .reglament/uv")
    pip = find_pip()
    if pip is None and install_pip_by_apt():
        pip = find_pip()
    if pip is None:
        raise BootstrapError(
            f"{sys.executable} has no pip and uv is not on the PATH: apt-get install -y {PIP_PACKAGE} (as root)"
        )
    # --target is allowed in an "externally managed" installation, for it changes nothing of the system's.
    run([*pip, "install", "--quiet", "--upgrade", "--target", str(UV_TARGET), UV_REQUIREMENT], environment)
    uv = find_uv()
    if uv is None:
        raise BootstrapError(f"uv was installed into {UV_TARGET} but does not run")
    return uv


def find_pip() -> list[str] | None:
    wheels = [f"{wheel}/pip" for wheel in sorted(DEBIAN_WHEELS.glob("pip-*.whl"), reverse=True)]
    for pip in (["-m", "pip"], *([wheel] for wheel in wheels)):
        command = [sys.executable, "-I", *pip]
        if works([*command, "--version"]):
            return command
    return None


def install_pip_by_apt() -> bool:
    apt = shutil.which("apt-get")
    privilege = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if apt is None or (privilege and not works([*privilege, "true"])):
        return False
    report_progress(f"installing {PIP_PACKAGE} by apt-get")
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run([*privilege, apt, "update", "-qq"], quiet)
    run([*privilege, apt, "install", "-y", "-qq", "--no-install-recommends", PIP_PACKAGE], quiet)
    return True


def works(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        output = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BootstrapError(f"`{' '.join(command)}` failed: {' | '.join(line.strip() for line in output[-4:])}")


def report_progress(what: str) -> None:
    print(f"reglament: {what} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
