//! What the schema allows for each parameter of a query, worked out once.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use serde_json::{Map, Value};

use super::{super::walk, forms::Forms, pairs::Texts};

/// How to read each parameter of a query.
#[derive(Debug, Default)]
pub(in crate::schema) struct Plan {
    properties: HashMap<String, Slot, RandomState>,
    /// For the names that the schema does not declare.
    others: Slot,
    /// The lists that must be there, and have no items when their names are not.
    empty_lists: Vec<String>,
}

/// What one parameter may be.
#[derive(Debug, Default)]
struct Slot {
    one: Forms,
    list: Option<List>,
}

/// What the items of a list may be.
#[derive(Debug, Default)]
struct List {
    first: Vec<Forms>,
    rest: Forms,
}

impl Plan {
    /// Works out how the values of `schema` come from query strings.
    ///
    /// # Errors
    ///
    /// Why they cannot: the value is no object, or one of its properties holds more than a query string does.
    pub(in crate::schema) fn of(schema: &Value) -> Result<Self, String> {
        let mut plan = Self::default();
        let mut result = Ok(());
        walk::visit(schema, schema, &mut |part| {
            if result.is_ok() {
                result = plan.add(schema, part);
            }
        });
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let may_be_empty = |name: &&str| schema["properties"].get(name).is_some_and(is_list_that_may_be_empty);
        plan.empty_lists = required.filter(may_be_empty).map(str::to_owned).collect();
        if plan.others.is_empty() {
            plan.others = Slot { one: Forms::TEXT, list: Some(List { first: Vec::new(), rest: Forms::TEXT }) };
        }
        result.map(|()| plan)
    }

    /// Takes in one `part` of the schema of the whole.
    fn add(&mut self, root: &Value, part: &Map<String, Value>) -> Result<(), String> {
        if let Some(kind) = walk::types(part).find(|kind| !matches!(*kind, "object" | "null")) {
            return Err(format!("the input can be of type {kind}, and a query string always makes an object"));
        }
        for (name, schema) in walk::members(part, "properties") {
            let slot = self.properties.entry(name.clone()).or_default();
            slot.add(root, schema).map_err(|what| format!("its property `{name}` can be {what}"))?;
        }
        let others = ["additionalProperties", "unevaluatedProperties"].into_iter().filter_map(|key| part.get(key));
        let others = others.filter(|schema| **schema != Value::Bool(false));
        for schema in others.chain(walk::members(part, "patternProperties").map(|(_, schema)| schema)) {
            self.others.add(root, schema).map_err(|what| format!("its undeclared properties can be {what}"))?;
        }
        Ok(())
    }

    fn slot(&self, name: &str) -> &Slot {
        self.properties.get(name).unwrap_or(&self.others)
    }

    /// Adds the lists that have no items to what a query string says.
    pub(super) fn add_empty_lists(&self, texts: &mut Texts) {
        for name in &self.empty_lists {
            if !texts.contains_key(name) {
                texts.insert(name.clone(), Value::Array(Vec::new()));
            }
        }
    }

    pub(super) fn may_repeat(&self, name: &str) -> bool {
        self.slot(name).list.is_some()
    }

    /// Whether there is more than one way to read `texts`.
    pub(super) fn is_ambiguous(&self, texts: &Texts) -> bool {
        texts.iter().any(|(name, text)| self.slot(name).is_ambiguous(text))
    }

    /// Reads `texts` in the `nth` way, and tells how many ways there are.
    pub(super) fn read(&self, mut texts: Texts, nth: usize) -> (Value, usize) {
        // The digits of `nth`, each to its own base, are the choices made.
        let (mut digits, mut ways) = (nth, 1_usize);
        for (name, text) in &mut texts {
            ways = ways.saturating_mul(self.slot(name).read(text, &mut digits));
        }
        (Value::Object(texts), ways)
    }
}

/// Whether `property` is of lists that may have no items; a query string says so by not naming it, required or not.
#[must_use]
pub(crate) fn is_list_that_may_be_empty(property: &Value) -> bool {
    let least = property.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    least == 0 && property.get("type").is_some_and(|kind| kind == "array")
}

impl Slot {
    /// Takes in that the parameter may be what `schema` allows.
    ///
    /// # Errors
    ///
    /// What it may also be, that no query string can say.
    fn add(&mut self, root: &Value, schema: &Value) -> Result<(), &'static str> {
        let mut result = Ok(());
        walk::visit(root, schema, &mut |part| {
            for kind in walk::types(part) {
                let added = match Forms::of(kind, part) {
                    Ok(forms) => {
                        self.one.add(forms);
                        Ok(())
                    }
                    Err("list") => self.list.get_or_insert_default().add(root, part),
                    Err(_) => Err("an object"),
                };
                result = result.and(added);
            }
        });
        if self.is_empty() {
            *self = Self { one: Forms::ANY, list: Some(List { first: Vec::new(), rest: Forms::ANY }) };
        }
        result
    }

    fn is_empty(&self) -> bool {
        self.one == Forms::default() && self.list.is_none()
    }

    fn item(&self, at: usize) -> Forms {
        self.list.as_ref().map_or(Forms::TEXT, |list| list.first.get(at).copied().unwrap_or(list.rest))
    }

    /// The forms of a text by itself, those of it as the only item of a list, and the number of ways to read it. One that
    /// nothing fits stays a text, for the schema to refuse, and that is one way.
    fn forms_of(&self, text: &str) -> (Forms, Forms, usize) {
        let as_one = self.one.fitting(text);
        if self.list.is_none() {
            return (as_one, Forms::default(), as_one.count().max(1));
        }
        let as_item = self.item(0).fitting(text);
        (as_one, as_item, as_one.count() + as_item.count().max(1))
    }

    /// Whether there is more than one way to read a text or a list of texts.
    fn is_ambiguous(&self, text: &Value) -> bool {
        match text {
            Value::String(text) => self.forms_of(text).2 > 1,
            Value::Array(texts) => {
                let item = |(at, text): (usize, &Value)| self.item(at).fitting(text.as_str().unwrap_or_default());
                texts.iter().enumerate().any(|each| item(each).count() > 1)
            }
            _ => false,
        }
    }

    /// Reads a text or a list of texts as the first of `digits` says, takes it off, and tells how many ways there are.
    fn read(&self, text: &mut Value, digits: &mut usize) -> usize {
        match text {
            Value::String(content) => {
                let (as_one, as_item, ways) = self.forms_of(content);
                let choice = take_digit(digits, ways);
                if choice < as_one.count() || self.list.is_none() {
                    as_one.read(text, choice);
                } else {
                    as_item.read(text, choice - as_one.count());
                    *text = Value::Array(vec![text.take()]);
                }
                ways
            }
            Value::Array(texts) => {
                let mut ways: usize = 1;
                for (at, text) in texts.iter_mut().enumerate() {
                    let fitting = self.item(at).fitting(text.as_str().unwrap_or_default());
                    fitting.read(text, take_digit(digits, fitting.count().max(1)));
                    ways = ways.saturating_mul(fitting.count().max(1));
                }
                ways
            }
            _ => 1,
        }
    }
}

impl List {
    /// Takes in the items of `schema`, which is one of lists.
    fn add(&mut self, root: &Value, schema: &Map<String, Value>) -> Result<(), &'static str> {
        let first = schema.get("prefixItems").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        for (at, item) in first.iter().enumerate() {
            if self.first.len() <= at {
                self.first.push(Forms::default());
            }
            add_item(&mut self.first[at], root, item)?;
        }
        match schema.get("items") {
            Some(items) => add_item(&mut self.rest, root, items),
            None => {
                self.rest.add(Forms::ANY);
                Ok(())
            }
        }
    }
}

fn add_item(forms: &mut Forms, root: &Value, schema: &Value) -> Result<(), &'static str> {
    let mut slot = Slot::default();
    slot.add(root, schema).map_err(|what| if what == "an object" { "a list of objects" } else { "a list of lists" })?;
    forms.add(slot.one);
    if slot.list.is_some() && slot.one != Forms::ANY { Err("a list of lists") } else { Ok(()) }
}

fn take_digit(digits: &mut usize, base: usize) -> usize {
    let digit = *digits % base;
    *digits /= base;
    digit
}
