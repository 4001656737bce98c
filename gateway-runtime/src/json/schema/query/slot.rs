//! What one parameter of a query may be, and which of it a text is.

use std::fmt;

use jsonschema::Validator;
use serde_json::{Map, Value};
use smallvec::{SmallVec, smallvec};

use crate::json::{
    document::{Document, Scalar, Writer},
    schema::{applicators, compile, instance::Instance, query::text_forms::TextForms},
};

/// What one parameter may be.
#[derive(Debug, Default)]
pub(super) struct ParameterForms {
    one: TextForms,
    lists: Vec<List>,
    /// Which of several readings is right; without any, there is but one.
    judges: Vec<Judge>,
}

/// What the items of a list may be.
#[derive(Debug, Default)]
struct List {
    first: Vec<Item>,
    rest: Item,
}

#[derive(Debug, Default)]
struct Item {
    forms: TextForms,
    judge: Option<Judge>,
}

/// The schema of a parameter or of an item, compiled.
struct Judge(Validator<Instance>);

/// How a parameter was read.
pub(super) enum ParameterReading<'t> {
    One(Scalar<'t>),
    List(Vec<Scalar<'t>>),
}

impl ParameterForms {
    /// Of a parameter that each of `schemas` describes.
    ///
    /// # Errors
    ///
    /// What it may also be, that no query string can say.
    pub(super) fn of(root: &Value, schemas: &[&Value]) -> Result<Self, &'static str> {
        let mut slot = Self::default();
        for schema in schemas {
            slot.add(root, schema)?;
        }
        if slot.is_ambiguous() {
            slot.judges = schemas.iter().filter_map(|schema| Judge::of(root, schema)).collect();
        }
        Ok(slot)
    }

    /// Of a parameter that no schema describes.
    pub(super) fn undeclared() -> Self {
        let rest = Item { forms: TextForms::TEXT, judge: None };
        Self {
            one: TextForms::TEXT,
            lists: vec![List { first: Vec::new(), rest }],
            judges: Vec::new(),
        }
    }

    fn add(&mut self, root: &Value, schema: &Value) -> Result<(), &'static str> {
        let mut result = Ok(());
        let was_empty = self.is_empty();
        applicators::visit(root, schema, &mut |part| {
            for kind in applicators::types(part) {
                let added = match TextForms::of(kind, part) {
                    Ok(forms) => {
                        self.one.add(forms);
                        Ok(())
                    }
                    Err("list") => List::of(root, part).map(|list| self.lists.push(list)),
                    Err(_) => Err("an object"),
                };
                result = result.and(added);
            }
        });
        if was_empty && self.is_empty() {
            let rest = Item { forms: TextForms::ANY, judge: None };
            *self = Self {
                one: TextForms::ANY,
                lists: vec![List { first: Vec::new(), rest }],
                judges: Vec::new(),
            };
        }
        result
    }

    fn is_empty(&self) -> bool {
        self.one.is_empty() && self.lists.is_empty()
    }

    pub(super) fn may_repeat(&self) -> bool {
        !self.lists.is_empty()
    }

    /// Whether a text or a list of texts may be read in several ways.
    pub(super) fn is_ambiguous(&self) -> bool {
        let ways = usize::from(!self.one.is_empty()) + self.lists.len();
        ways > 1
            || self.one.is_ambiguous()
            || self.lists.iter().flat_map(List::items).any(|item| item.forms.is_ambiguous())
    }

    /// Whether both read every text alike, but for what their schemas say besides.
    pub(super) fn reads_like(&self, other: &Self) -> bool {
        let forms = |slot: &Self| -> Vec<Vec<TextForms>> {
            slot.lists.iter().map(|list| list.items().map(|item| item.forms).collect()).collect()
        };
        self.one == other.one && forms(self) == forms(other)
    }

    /// Reads a text or a list of texts: in the first way that the schema takes, or else in the first.
    pub(super) fn read<'t>(&self, text: &'t Value) -> ParameterReading<'t> {
        let texts: SmallVec<[&str; 1]> = match text {
            Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
            text => smallvec![text.as_str().unwrap_or_default()],
        };
        let as_one = text.as_str().map(|text| self.one.readings(text)).unwrap_or_default();
        let lists = || self.lists.iter().map(|list| list.read(&texts));
        // A list whose items are all of its kind comes before one of texts that fit nothing.
        let fitting = lists().filter_map(|(items, fits)| fits.then_some(items));
        let lists = fitting.chain(lists().map(|(items, _)| items)).map(ParameterReading::List);
        let mut readings = as_one.into_iter().map(ParameterReading::One).chain(lists);
        let first = match readings.next() {
            Some(first) => first,
            // What nothing fits stays a text, for the schema to refuse.
            None if text.is_array() => {
                ParameterReading::List(texts.iter().copied().map(Scalar::Text).collect())
            }
            None => ParameterReading::One(Scalar::Text(text.as_str().unwrap_or_default())),
        };
        if self.judges.is_empty() || self.accepts(&first) {
            return first;
        }
        readings.find(|reading| self.accepts(reading)).unwrap_or(first)
    }

    fn accepts(&self, reading: &ParameterReading<'_>) -> bool {
        let mut writer = Writer::default();
        reading.write(&mut writer);
        let document = writer.finish();
        #[cfg(test)]
        crate::json::schema::query::steps::add(if let ParameterReading::List(items) = reading {
            items.len()
        } else {
            1
        });
        self.judges.iter().all(|judge| judge.0.is_valid(document.root()))
    }
}

impl List {
    /// Of `schema`, which is one of lists.
    fn of(root: &Value, schema: &Map<String, Value>) -> Result<Self, &'static str> {
        let first =
            schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        Ok(Self {
            first: first.iter().map(|item| Item::of(root, item)).collect::<Result<_, _>>()?,
            rest: match schema.get("items") {
                Some(Value::Object(_)) => Item::of(root, &schema["items"])?,
                _ => Item { forms: TextForms::ANY, judge: None },
            },
        })
    }

    fn items(&self) -> impl Iterator<Item = &Item> {
        self.first.iter().chain([&self.rest])
    }

    /// Reads each item, and tells whether every one of them may be what it was read as.
    fn read<'t>(&self, texts: &[&'t str]) -> (Vec<Scalar<'t>>, bool) {
        let item = |at| self.first.get(at).unwrap_or(&self.rest);
        let mut fits = true;
        let items = texts.iter().enumerate().map(|(at, text)| {
            item(at).read(text).unwrap_or_else(|| {
                fits = false;
                Scalar::Text(text)
            })
        });
        (items.collect(), fits)
    }
}

impl Item {
    fn of(root: &Value, schema: &Value) -> Result<Self, &'static str> {
        let slot = ParameterForms::of(root, &[schema]).map_err(|what| {
            if what == "an object" { "a list of objects" } else { "a list of lists" }
        })?;
        if !slot.lists.is_empty() && slot.one != TextForms::ANY {
            return Err("a list of lists");
        }
        let judge = Judge::of(root, schema).filter(|_| slot.one.is_ambiguous());
        Ok(Self { forms: slot.one, judge })
    }

    /// Reads a text in the first way that the item's schema takes, or else in the first; none where nothing fits it.
    fn read<'t>(&self, text: &'t str) -> Option<Scalar<'t>> {
        let readings = self.forms.readings(text);
        let first = readings.first().copied()?;
        #[cfg(test)]
        crate::json::schema::query::steps::add(readings.len());
        match &self.judge {
            Some(judge) if readings.len() > 1 => {
                let accepts =
                    |reading: &Scalar<'_>| judge.0.is_valid(Document::from(*reading).root());
                Some(readings.into_iter().find(accepts).unwrap_or(first))
            }
            _ => Some(first),
        }
    }
}

impl Judge {
    /// None for a schema that allows everything.
    fn of(root: &Value, schema: &Value) -> Option<Self> {
        let mut schema = schema.as_object().filter(|schema| !schema.is_empty())?.clone();
        if let Some(definitions) = root.get("$defs") {
            schema.insert("$defs".to_owned(), definitions.clone());
        }
        // The whole was compiled; what only there can be referred to is judged only there.
        compile(&Value::Object(schema)).ok().map(Self)
    }
}

impl ParameterReading<'_> {
    pub(super) fn write(&self, writer: &mut Writer) {
        match self {
            Self::One(scalar) => writer.scalar(*scalar),
            Self::List(items) => {
                writer.array(items.len(), |writer| {
                    items.iter().for_each(|item| writer.scalar(*item))
                });
            }
        }
    }
}

impl fmt::Debug for Judge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Judge")
    }
}
