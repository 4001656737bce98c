//! The forms of a parameter of a query, and the choice between them.

use std::fmt;

use jsonschema::Validator;
use serde_json::{Map, Value};
use smallvec::{SmallVec, smallvec};

use crate::json::{
    document::{Document, Scalar, Writer},
    schema::{
        applicators,
        compile::compile,
        error::UnsupportedForm,
        instance::Instance,
        query::text_forms::{Structure, TextForms},
    },
};

/// The forms of a parameter: a single text, lists of texts, or both.
#[derive(Debug, Default)]
pub(super) struct ParameterForms {
    one: TextForms,
    lists: Vec<List>,
    /// Validators that choose between several readings; empty if there is only one.
    validators: Vec<PartValidator>,
}

/// The forms of a list's items.
#[derive(Debug, Default)]
struct List {
    first: Vec<Item>,
    rest: Item,
}

#[derive(Debug, Default)]
struct Item {
    forms: TextForms,
    validator: Option<PartValidator>,
}

/// The compiled schema of a parameter or of an item.
struct PartValidator(Validator<Instance>);

/// The reading of a parameter.
pub(super) enum ParameterReading<'t> {
    One(Scalar<'t>),
    List(Vec<Scalar<'t>>),
}

/// The reading of a list.
struct ListReading<'t> {
    items: Vec<Scalar<'t>>,
    /// True if every text fits the forms of its item.
    fits: bool,
}

impl ParameterForms {
    /// Determines the forms of a parameter that each of `schemas` describes.
    ///
    /// # Errors
    ///
    /// Returns the form that no query string can hold, if the parameter may have it.
    pub(super) fn of(root: &Value, schemas: &[&Value]) -> Result<Self, UnsupportedForm> {
        let mut forms = Self::default();
        for schema in schemas {
            forms.add(root, schema)?;
        }
        if forms.is_ambiguous() {
            forms.validators =
                schemas.iter().filter_map(|schema| PartValidator::of(root, schema)).collect();
        }
        Ok(forms)
    }

    /// Returns the forms of a parameter that no schema describes.
    pub(super) fn undeclared() -> Self {
        let rest = Item { forms: TextForms::TEXT, validator: None };
        Self {
            one: TextForms::TEXT,
            lists: vec![List { first: Vec::new(), rest }],
            validators: Vec::new(),
        }
    }

    fn add(&mut self, root: &Value, schema: &Value) -> Result<(), UnsupportedForm> {
        let mut result = Ok(());
        let was_empty = self.is_empty();
        applicators::visit(root, schema, &mut |part| {
            for kind in applicators::types(part) {
                let added = match TextForms::of(kind, part) {
                    Ok(forms) => {
                        self.one.add(forms);
                        Ok(())
                    }
                    Err(Structure::Array) => List::of(root, part).map(|list| self.lists.push(list)),
                    Err(Structure::Object) => Err(UnsupportedForm::Object),
                };
                result = result.and(added);
            }
        });
        if was_empty && self.is_empty() {
            let rest = Item { forms: TextForms::ANY, validator: None };
            *self = Self {
                one: TextForms::ANY,
                lists: vec![List { first: Vec::new(), rest }],
                validators: Vec::new(),
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

    /// Returns whether a text or a list of texts may have several readings.
    pub(super) fn is_ambiguous(&self) -> bool {
        let ways = usize::from(!self.one.is_empty()) + self.lists.len();
        ways > 1
            || self.one.is_ambiguous()
            || self.lists.iter().flat_map(List::items).any(|item| item.forms.is_ambiguous())
    }

    /// Returns whether both read every text alike, apart from what their schemas check besides.
    pub(super) fn reads_like(&self, other: &Self) -> bool {
        let of_lists = |forms: &Self| -> Vec<Vec<TextForms>> {
            forms.lists.iter().map(|list| list.items().map(|item| item.forms).collect()).collect()
        };
        self.one == other.one && of_lists(self) == of_lists(other)
    }

    /// Reads a text or a list of texts: in the first way that the schema accepts, otherwise in the
    /// first way.
    pub(super) fn read<'t>(&self, text: &'t Value) -> ParameterReading<'t> {
        let texts: SmallVec<[&str; 1]> = match text {
            Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
            text => smallvec![text.as_str().unwrap_or_default()],
        };
        let as_one = text.as_str().map(|text| self.one.readings(text)).unwrap_or_default();
        let lists = || self.lists.iter().map(|list| list.read(&texts));
        // A list whose items all fit comes before a list of texts that fit no form.
        let fitting = lists().filter(|list| list.fits);
        let lists = fitting.chain(lists()).map(|list| ParameterReading::List(list.items));
        let mut readings = as_one.into_iter().map(ParameterReading::One).chain(lists);
        let first = match readings.next() {
            Some(first) => first,
            // A text that fits no form stays a string, so that the schema rejects it.
            None if text.is_array() => {
                ParameterReading::List(texts.iter().copied().map(Scalar::Text).collect())
            }
            None => ParameterReading::One(Scalar::Text(text.as_str().unwrap_or_default())),
        };
        if self.validators.is_empty() || self.accepts(&first) {
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
        self.validators.iter().all(|validator| validator.0.is_valid(document.root()))
    }
}

impl List {
    /// Determines the forms of a list that `schema` describes.
    fn of(root: &Value, schema: &Map<String, Value>) -> Result<Self, UnsupportedForm> {
        let first =
            schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        Ok(Self {
            first: first.iter().map(|item| Item::of(root, item)).collect::<Result<_, _>>()?,
            rest: match schema.get("items") {
                Some(Value::Object(_)) => Item::of(root, &schema["items"])?,
                _ => Item { forms: TextForms::ANY, validator: None },
            },
        })
    }

    fn items(&self) -> impl Iterator<Item = &Item> {
        self.first.iter().chain([&self.rest])
    }

    /// Reads each item.
    fn read<'t>(&self, texts: &[&'t str]) -> ListReading<'t> {
        let item = |index| self.first.get(index).unwrap_or(&self.rest);
        let mut fits = true;
        let items = texts.iter().enumerate().map(|(index, text)| {
            item(index).read(text).unwrap_or_else(|| {
                fits = false;
                Scalar::Text(text)
            })
        });
        let items = items.collect();
        ListReading { items, fits }
    }
}

impl Item {
    fn of(root: &Value, schema: &Value) -> Result<Self, UnsupportedForm> {
        let forms = ParameterForms::of(root, &[schema]).map_err(|form| match form {
            UnsupportedForm::Object => UnsupportedForm::ListOfObjects,
            _ => UnsupportedForm::ListOfLists,
        })?;
        if !forms.lists.is_empty() && forms.one != TextForms::ANY {
            return Err(UnsupportedForm::ListOfLists);
        }
        let validator = PartValidator::of(root, schema).filter(|_| forms.one.is_ambiguous());
        Ok(Self { forms: forms.one, validator })
    }

    /// Reads a text in the first way that the item's schema accepts, otherwise in the first way;
    /// `None` if it fits no form.
    fn read<'t>(&self, text: &'t str) -> Option<Scalar<'t>> {
        let readings = self.forms.readings(text);
        let first = readings.first().copied()?;
        #[cfg(test)]
        crate::json::schema::query::steps::add(readings.len());
        match &self.validator {
            Some(validator) if readings.len() > 1 => {
                let accepts =
                    |reading: &Scalar<'_>| validator.0.is_valid(Document::from(*reading).root());
                Some(readings.into_iter().find(accepts).unwrap_or(first))
            }
            _ => Some(first),
        }
    }
}

impl PartValidator {
    /// Compiles a schema; `None` for one that allows everything.
    fn of(root: &Value, schema: &Value) -> Option<Self> {
        let mut schema = schema.as_object().filter(|schema| !schema.is_empty())?.clone();
        if let Some(definitions) = root.get("$defs") {
            schema.insert("$defs".to_owned(), definitions.clone());
        }
        // The whole schema was compiled before. A part whose references lead elsewhere in it is
        // validated only as part of it.
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

impl fmt::Debug for PartValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PartValidator")
    }
}
