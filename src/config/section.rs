//! Section: one struct of settings, from which its defaults, its parser and its documentation are made.
//! Owns: the `section!` macro, so that a key, its default and its text stand in one place.
//! Does not own: where values come from (`source`), how a value is written (`setting`).

/// One table of `onggi.toml`.
pub trait Section: Default {
    /// The table's name; empty for the keys above the first table.
    const NAME: &'static str;
    const ABOUT: &'static str;

    /// `None`: there is no such key.
    fn set(&mut self, key: &str, text: &str) -> Option<Result<(), String>>;

    /// Every key in the order it is declared, with its default.
    fn keys() -> Vec<Key>;

    /// What is wrong with the values taken together, each as one sentence that names the key.
    fn problems(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A key as the reference page and the error messages know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub section: &'static str,
    pub name: &'static str,
    pub default: String,
    pub about: &'static str,
    /// The flag of `onggi server` that sets it, if it has one of its own.
    pub flag: Option<&'static str>,
}

impl Key {
    /// As messages and `--set` write it: `s3.listen`, or `data_dir` for a key above the first table.
    pub fn path(&self) -> String {
        match self.section {
            "" => self.name.to_string(),
            section => format!("{section}.{}", self.name),
        }
    }

    pub fn environment_variable(&self) -> String {
        format!("ONGGI_{}", self.path().replace('.', "_").to_uppercase())
    }
}

/// Declares a section: `key: Type = default;` with its text as a doc comment, and `, flag "--name"` if it has a flag.
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $name:ident in $section:literal {
            $( $(#[doc = $doc:literal])+ $key:ident: $type:ty = $default:expr $(, flag $flag:literal)?; )*
        }
        $(problems: $problems:expr)?
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $key: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $key: $default, )* }
            }
        }

        impl $crate::config::section::Section for $name {
            const NAME: &'static str = $section;
            const ABOUT: &'static str = concat!($($about,)*);

            fn set(&mut self, key: &str, text: &str) -> Option<Result<(), String>> {
                match key {
                    $( stringify!($key) => Some(
                        <$type as $crate::config::setting::Setting>::parse(text).map(|value| self.$key = value),
                    ), )*
                    _ => None,
                }
            }

            fn keys() -> Vec<$crate::config::section::Key> {
                let defaults = Self::default();
                vec![ $( $crate::config::section::Key {
                    section: $section,
                    name: stringify!($key),
                    default: $crate::config::setting::Setting::text(&defaults.$key),
                    about: concat!($($doc,)+),
                    flag: [$($flag)?].first().copied(),
                }, )* ]
            }

            $( fn problems(&self) -> Vec<String> {
                let problems: fn(&Self) -> Vec<String> = $problems;
                problems(self)
            } )?
        }
    };
}
pub(crate) use section;
