//! `migrations!`: a folder of migrations as a constant. The files `0001_guests.up.sql` and
//! `0001_guests.down.sql` are for both dialects, or stand in `sqlite/` and `postgres/`, each for
//! its own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::LitStr;

use crate::paths::private;

/// The files of one migration.
#[derive(Debug, Default, PartialEq, Eq)]
struct Step {
    name: String,
    up: Option<PathBuf>,
    down: Option<PathBuf>,
}

/// The migrations of one dialect, by version.
type Steps = BTreeMap<i64, Step>;

/// Expands `migrations!()` and `migrations!("folder")`. The folder is relative to the `Cargo.toml`
/// of the calling package.
pub(crate) fn expand(tokens: TokenStream) -> TokenStream {
    let folder = match syn::parse2::<Option<LitStr>>(tokens) {
        Ok(folder) => folder.unwrap_or_else(|| LitStr::new("migrations", Span::call_site())),
        Err(error) => {
            let help = "name a folder beside Cargo.toml, as in `migrations!(\"migrations\")`, or \
                        none for `migrations`";
            return syn::Error::new(error.span(), format!("{error}\nhelp: {help}"))
                .to_compile_error();
        }
    };
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default();
    match read(&root.join(folder.value())) {
        Ok((sqlite, postgres)) => constant(&sqlite, &postgres),
        Err(wrong) => syn::Error::new(folder.span(), wrong).to_compile_error(),
    }
}

/// Reads the migrations for SQLite and for PostgreSQL.
fn read(folder: &Path) -> Result<(Steps, Steps), String> {
    let (sqlite, postgres) = (folder.join("sqlite"), folder.join("postgres"));
    let both = steps(folder)?;
    if !sqlite.is_dir() && !postgres.is_dir() {
        if both.is_empty() {
            return Err(format!(
                "there are no migrations in `{}`\nhelp: write `0001_name.up.sql` and \
                 `0001_name.down.sql` there",
                shown(folder)
            ));
        }
        let again = steps(folder)?;
        return Ok((both, again));
    }
    if !both.is_empty() {
        return Err(format!(
            "`{}` has migrations beside `sqlite/` or `postgres/`\nhelp: either there are two \
             folders, or all are for both",
            shown(folder)
        ));
    }
    let of = |folder: &Path| if folder.is_dir() { steps(folder) } else { Ok(Steps::new()) };
    Ok((of(&sqlite)?, of(&postgres)?))
}

/// Reads the migrations in a folder; files that do not end in `.sql` are ignored.
fn steps(folder: &Path) -> Result<Steps, String> {
    let entries = std::fs::read_dir(folder)
        .map_err(|error| format!("`{}` cannot be read: {error}", shown(folder)))?;
    let mut steps = Steps::new();
    let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.sort();
    for path in files {
        let Some(file) =
            path.file_name().and_then(|name| name.to_str()).filter(|name| name.ends_with(".sql"))
        else {
            continue;
        };
        let Some((version, name, is_up)) = named(file) else {
            return Err(format!(
                "`{file}` is not named like a migration\nhelp: `0001_name.up.sql` and \
                 `0001_name.down.sql`"
            ));
        };
        let step = steps.entry(version).or_default();
        if !step.name.is_empty() && step.name != name {
            return Err(format!(
                "migration {version} is both `{}` and `{name}`\nhelp: give one of them another \
                 number",
                step.name
            ));
        }
        step.name = name.to_owned();
        *(if is_up { &mut step.up } else { &mut step.down }) = Some(path);
    }
    for (version, step) in &steps {
        if step.up.is_none() || step.down.is_none() {
            let lacking = if step.up.is_none() { "up" } else { "down" };
            let name = &step.name;
            return Err(format!(
                "migration {version} (`{name}`) has no `.{lacking}.sql`\nhelp: each step has a way \
                 forward and a way back"
            ));
        }
    }
    Ok(steps)
}

/// Parses a file name: `0001_guests.up.sql` → 1, `guests`, forward.
fn named(file: &str) -> Option<(i64, &str, bool)> {
    let stem = file.strip_suffix(".sql")?;
    let (stem, direction) = stem.rsplit_once('.')?;
    let (version, name) = stem.split_once('_')?;
    let version = version.parse().ok().filter(|version| *version > 0)?;
    let is_name =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    match direction {
        "up" | "down" if is_name => Some((version, name, direction == "up")),
        _ => None,
    }
}

fn constant(sqlite: &Steps, postgres: &Steps) -> TokenStream {
    let gw = private();
    let versions: BTreeMap<i64, &str> = sqlite
        .iter()
        .chain(postgres)
        .map(|(version, step)| (*version, step.name.as_str()))
        .collect();
    let each = versions.into_iter().map(|(version, name)| {
        let (sqlite, postgres) = (sql(sqlite.get(&version)), sql(postgres.get(&version)));
        quote! {
            #gw::Migration { version: #version, name: #name, sqlite: #sqlite, postgres: #postgres }
        }
    });
    quote! {{
        const STEPS: &[#gw::Migration] = &[#(#each),*];
        #gw::Migrations { owner: ::core::env!("CARGO_PKG_NAME"), steps: STEPS }
    }}
}

fn sql(step: Option<&Step>) -> TokenStream {
    let gw = private();
    let Some(Step { up: Some(up), down: Some(down), .. }) = step else { return quote!(#gw::None) };
    let (up, down) = (shown(up), shown(down));
    quote!(#gw::Some(#gw::Sql { up: ::core::include_str!(#up), down: ::core::include_str!(#down) }))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temporary folder with empty migrations.
    struct Folder(PathBuf);

    impl Folder {
        fn with(name: &str, files: &[&str]) -> Self {
            let folder = std::env::temp_dir()
                .join(format!("gateway-migrations-{}-{name}", std::process::id()));
            for file in files {
                let path = folder.join(file);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, "SELECT 1").unwrap();
            }
            Self(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn files_are_steps_by_their_names() {
        assert_eq!(named("0001_guests.up.sql"), Some((1, "guests", true)));
        assert_eq!(named("20260101_a-b_c.down.sql"), Some((20_260_101, "a-b_c", false)));
        for wrong in [
            "guests.up.sql",
            "0001_guests.sql",
            "0_a.up.sql",
            "-1_a.up.sql",
            "1_.up.sql",
            "1_a.up",
            "1_a b.up.sql",
        ] {
            assert_eq!(named(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_folder_is_for_both_or_each_has_its_own() {
        let folder = Folder::with(
            "both",
            &["2_b.up.sql", "2_b.down.sql", "1_a.up.sql", "1_a.down.sql", "README.md"],
        );
        let (sqlite, postgres) = read(&folder.0).unwrap();
        assert_eq!(sqlite, postgres);
        assert_eq!(sqlite.keys().copied().collect::<Vec<_>>(), [1, 2]);
        let folder = Folder::with("each", &["sqlite/1_a.up.sql", "sqlite/1_a.down.sql"]);
        let (sqlite, postgres) = read(&folder.0).unwrap();
        assert_eq!((sqlite.len(), postgres.len()), (1, 0));
    }

    #[test]
    fn invalid_folders_are_refused_with_a_reason() {
        for (name, files, told) in [
            ("no-down", &["1_a.up.sql"][..], "has no `.down.sql`"),
            ("no-up", &["1_a.down.sql"], "has no `.up.sql`"),
            ("two", &["1_a.up.sql", "1_b.down.sql"], "is both `a` and `b`"),
            ("name", &["a.sql"], "is not named like a migration"),
            ("none", &["notes.txt"], "there are no migrations in"),
            (
                "mixed",
                &["sqlite/1_a.up.sql", "1_a.up.sql", "1_a.down.sql"],
                "either there are two folders",
            ),
        ] {
            let folder = Folder::with(name, files);
            let error = read(&folder.0).unwrap_err();
            assert!(error.contains(told), "{name}: {error}");
        }
        assert!(read(Path::new("/nowhere/at/all")).unwrap_err().contains("cannot be read"));
    }
}
