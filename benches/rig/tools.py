"""Programs and packages that the rig needs, fetched where missing."""
import os
import pathlib
import shutil
import subprocess

HERE = pathlib.Path(__file__).resolve().parents[1]
CACHE = HERE.parent / "target" / "benches"


class Missing(Exception):
    """Something that could not be had, and how to get it."""


def need(*programs, package):
    """Makes sure that programs of a Debian package are there."""
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    install(package, lambda: [program for program in programs if not shutil.which(program)])


def need_file(path, package):
    """Makes sure that a file of a Debian package is there."""
    install(package, lambda: [] if pathlib.Path(path).exists() else [path])


def install(package, missing):
    if missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "--yes", "--no-install-recommends", package], check=True,
                       stdout=subprocess.DEVNULL, env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"})
    if missing():
        raise Missing(f"{', '.join(missing())} is not here; install Debian's package {package}, then run this again")


def npm(folder):
    """The packages of a folder's lock file, installed beside a copy of the folder; gives that copy."""
    home = CACHE / folder
    if not shutil.which("npm"):
        raise Missing("npm is not here; install Node.js, then run this again")
    home.mkdir(parents=True, exist_ok=True)
    for file in (HERE / folder).iterdir():
        shutil.copy(file, home)
    if not (home / "node_modules").is_dir():
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent"], cwd=home, check=True)
    return home


def compile_c(source, into, *flags):
    """Compiles one C file with the system's compiler."""
    if not shutil.which("cc"):
        raise Missing("cc is not here; install Debian's package gcc, then run this again")
    subprocess.run(["cc", "-O2", "-o", str(into), str(HERE / source), *flags], check=True)
    return into
