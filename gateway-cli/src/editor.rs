//! Editing of a secret in the operator's editor: a private file, in memory where the system offers
//! that (`/dev/shm`), wiped after use. Copies that the editor makes elsewhere (backups, undo files,
//! a clipboard) are out of reach; so is a file whose process was killed.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use gateway_runtime::Secret;
use zeroize::Zeroizing;

/// A file in a folder of its own, which also holds the files that an editor writes beside it.
pub(crate) struct PrivateFile {
    folder: PathBuf,
}

impl PrivateFile {
    /// Creates a file with this text.
    pub(crate) fn with(text: &Secret) -> Result<Self, String> {
        Self::within(&place(), text)
            .map_err(|error| format!("cannot create a private file: {error}"))
    }

    fn within(place: &Path, text: &Secret) -> io::Result<Self> {
        // The name is unique, and an existing folder is an error, so no other process can have made
        // it.
        let now =
            std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let folder = place.join(format!("gateway-{}-{}", std::process::id(), now.as_nanos()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let private = Self { folder };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(private.path())?;
        file.write_all(text.expose().as_bytes())?;
        Ok(private)
    }

    fn path(&self) -> PathBuf {
        self.folder.join("credentials.toml")
    }

    /// Runs the editor and returns the text of the file afterwards.
    pub(crate) fn edit(&self) -> Result<Secret, String> {
        let editor = ["VISUAL", "EDITOR"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|it| !it.is_empty()));
        let editor = editor.unwrap_or_else(|| "vi".to_owned());
        // The shell splits arguments, as in `code --wait`.
        let status = Command::new("sh")
            .arg("-c")
            .arg(format!("{editor} \"$1\""))
            .arg("sh")
            .arg(self.path())
            .status();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => {
                return Err(format!("`{editor}` ended with {status}; nothing was changed"));
            }
            Err(error) => {
                return Err(format!(
                    "cannot start `{editor}`: {error}\nhelp: set `EDITOR` to another editor"
                ));
            }
        }
        let mut bytes = Zeroizing::new(Vec::new());
        let read = File::open(self.path()).and_then(|mut file| file.read_to_end(&mut bytes));
        read.map_err(|error| format!("cannot read the edited settings: {error}"))?;
        std::str::from_utf8(&bytes)
            .map(Secret::new)
            .map_err(|_| "the edited settings are not UTF-8".to_owned())
    }
}

impl Drop for PrivateFile {
    fn drop(&mut self) {
        // On failure the message names the folder, so that the operator can wipe it.
        let files = fs::read_dir(&self.folder)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()));
        let wiped = files.map(|file| wipe(&file)).fold(Ok(()), io::Result::and);
        if let Err(error) = wiped.and_then(|()| fs::remove_dir_all(&self.folder)) {
            let _ = writeln!(
                io::stderr().lock(),
                "cannot wipe `{}`: {error}\nhelp: wipe it by hand",
                self.folder.display()
            );
        }
    }
}

/// Overwrites a file with zeros.
fn wipe(path: &Path) -> io::Result<()> {
    let mut file = match OpenOptions::new().write(true).open(path) {
        Ok(file) => file,
        // A folder or a socket holds no bytes.
        Err(_) => return Ok(()),
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(0))?;
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.sync_all()
}

/// Returns a folder in memory if there is one, otherwise the folder for temporary files.
fn place() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn file_is_private_and_wiped_when_dropped() {
        let place = std::env::temp_dir().join(format!("gateway-editor-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        let private = PrivateFile::within(&place, &Secret::new("planted")).unwrap();
        let (folder, path) = (private.folder.clone(), private.path());
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&folder), mode(&path)), (0o700, 0o600));
        assert_eq!(fs::read_to_string(&path).unwrap(), "planted");
        // A hard link to the same bytes shows whether they were wiped.
        let kept = place.join("kept");
        fs::hard_link(&path, &kept).unwrap();
        drop(private);
        assert!(!folder.exists());
        assert_eq!(fs::read(&kept).unwrap(), [0; 7]);
        fs::remove_dir_all(place).unwrap();
    }
}
