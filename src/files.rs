//! Opens files that others may have written: issues, themes, settings, lists of people, pictures.
//!
//! Such a file is opened only if it is a regular one (a device never ends, a pipe may never begin), and only if no
//! symbolic link leads out of its folder to what its author can't read and the author of the newsletter can. It is read
//! only up to the size that its kind is allowed. What stands in it is left to its reader.

use std::fs::{self, File, FileType};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;

/// The largest issue. Mail clients cut at about 0.1 MB.
pub(crate) const ISSUE_MAX_BYTES: u64 = 4 << 20;
/// The largest file of a picture.
pub(crate) const PICTURE_MAX_BYTES: u64 = 20 << 20;
/// The largest settings file.
pub(crate) const SETTINGS_MAX_BYTES: u64 = 1 << 20;
/// The largest file with a password.
pub(crate) const PASSWORD_MAX_BYTES: u64 = 64 << 10;
/// The largest file with certificates; those of all public authorities have 0.2 MB.
pub(crate) const CERTIFICATES_MAX_BYTES: u64 = 4 << 20;

/// Opens a file that a person has named. A link is followed within the file's own folder.
///
/// # Errors
/// It can't be opened, is not a regular file, or leads out of its folder; the message goes on after “can't be read:”.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    open_within(folder.unwrap_or(Path::new(".")), path)
}

/// Opens a file that belongs to a folder: links are followed as long as they stay below it.
///
/// # Errors
/// It can't be opened, is not a regular file, or leads out of the folder; the message goes on after “can't be read:”.
pub(crate) fn open_within(folder: &Path, path: &Path) -> io::Result<File> {
    is_readable(path, fs::metadata(path)?.file_type())?;
    if is_of_shell(path) {
        return open_anywhere(path);
    }
    let real = path.canonicalize()?;
    if !real.starts_with(folder.canonicalize()?) {
        let why = format!(
            "it is a link that leads out of its folder, to {}",
            real.display()
        );
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    }
    open_anywhere(&real)
}

/// Opens a file of the operator's own, such as a secret that a service manager has linked.
fn open_anywhere(path: &Path) -> io::Result<File> {
    is_readable(path, fs::metadata(path)?.file_type())?;
    let file = File::open(path)?;
    // It may have been exchanged since.
    is_readable(path, file.metadata()?.file_type())?;
    Ok(file)
}

/// Refuses what is not a regular file, nor a pipe of the shell's.
fn is_readable(path: &Path, kind: FileType) -> io::Result<()> {
    if kind.is_dir() {
        return Err(ErrorKind::IsADirectory.into());
    }
    if kind.is_file() || kind.is_fifo() && is_of_shell(path) {
        return Ok(());
    }
    let why = "it is a device, a pipe or a socket, not a regular file";
    Err(io::Error::new(ErrorKind::InvalidInput, why))
}

/// Whether a path means what the shell has opened already: `/dev/stdin`, or `/dev/fd/63` for `<(…)`.
fn is_of_shell(path: &Path) -> bool {
    path == Path::new("/dev/stdin") || path.starts_with("/dev/fd")
}

/// Reads a file that a person has named, of at most `max_bytes`.
///
/// # Errors
/// Those of [`open`]; it can't be read, or is larger.
pub(crate) fn read(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    at_most(max_bytes, open(path)?)
}

/// Reads a text that a person has named, of at most `max_bytes`.
///
/// # Errors
/// Those of [`read`]; it is not UTF-8.
pub(crate) fn read_text(path: &Path, max_bytes: u64) -> io::Result<String> {
    text(read(path, max_bytes)?)
}

/// Reads a file that belongs to a folder, of at most `max_bytes`.
///
/// # Errors
/// Those of [`open_within`]; it can't be read, or is larger.
pub(crate) fn read_within(folder: &Path, path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    at_most(max_bytes, open_within(folder, path)?)
}

/// Reads a file that the operator names in the settings, such as a password: wherever links lead.
///
/// # Errors
/// It can't be read, is not a regular file, or is larger.
pub(crate) fn read_of_operator(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    at_most(max_bytes, open_anywhere(path)?)
}

/// The text of bytes.
///
/// # Errors
/// They are not UTF-8.
pub(crate) fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not valid UTF-8"))
}

fn at_most(max_bytes: u64, file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max_bytes {
        let why = format!("it is larger than {}", size(max_bytes));
        return Err(io::Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

/// A limit as people read it.
fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{} KB", bytes >> 10),
        megabytes => format!("{megabytes} MB"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::PathBuf;

    use super::*;

    fn why<T>(read: io::Result<T>) -> String {
        read.err().map_or_else(String::new, |e| e.to_string())
    }

    /// A folder with `inside`, a folder in it, and `secret` beside that.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let inside = dir.path().join("inside");
        fs::create_dir(&inside).unwrap();
        fs::write(dir.path().join("secret"), "open-sesame").unwrap();
        fs::write(inside.join("own"), "text").unwrap();
        (dir, inside)
    }

    #[test]
    fn links_are_followed_within_their_folder_and_not_out_of_it() {
        let (dir, inside) = place();
        symlink("own", inside.join("near")).unwrap();
        symlink("../secret", inside.join("far")).unwrap();
        symlink("far", inside.join("chain")).unwrap();
        symlink(dir.path(), inside.join("up")).unwrap();
        assert_eq!(read(&inside.join("near"), 10).unwrap(), b"text");
        for name in ["far", "chain"] {
            let refused = why(read(&inside.join(name), 100));
            assert!(refused.contains("out of its folder"), "{name}: {refused}");
        }
        let refused = why(read_within(&inside, &inside.join("up/secret"), 100));
        assert!(refused.contains("out of its folder"), "{refused}");
        assert_eq!(
            read_of_operator(&inside.join("far"), 100).unwrap(),
            b"open-sesame"
        );
    }

    #[test]
    fn only_regular_files_are_opened_and_nothing_waits() {
        let (_dir, inside) = place();
        let _socket = std::os::unix::net::UnixListener::bind(inside.join("socket")).unwrap();
        symlink("/dev/zero", inside.join("zero")).unwrap();
        for path in [
            Path::new("/dev/zero"),
            Path::new("/dev/null"),
            &inside.join("zero"),
            &inside.join("socket"),
        ] {
            let refused = why(read(path, 100));
            assert!(
                refused.contains("not a regular file"),
                "{path:?}: {refused}"
            );
            let refused = why(read_of_operator(path, 100));
            assert!(
                refused.contains("not a regular file"),
                "{path:?}: {refused}"
            );
        }
        assert_eq!(why(read(&inside, 100)), "is a directory");
    }

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let (_dir, inside) = place();
        assert_eq!(read(&inside.join("own"), 4).unwrap(), b"text");
        fs::write(inside.join("large"), vec![b'x'; 2049]).unwrap();
        assert_eq!(
            why(read(&inside.join("large"), 2048)),
            "it is larger than 2 KB"
        );
    }
}
