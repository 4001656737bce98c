//! Services that have one of everything that a description can hold.

use std::collections::BTreeMap;

use gateway_runtime::{
    Error, Money, Raw, Result, Streaming, expose_method,
    media::{Csv, Png},
    model, service,
};

/// How the articles are sorted.
#[model]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The newest first.
    Newest,
    /// The cheapest first.
    Cheapest,
}

/// A part of a long list.
#[model]
pub struct Page {
    /// How many to leave out.
    #[serde(default)]
    pub skip: u32,
    /// How many to show.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1, max = 100))]
    pub limit: u8,
}

fn twenty() -> u8 {
    20
}

/// What to look for.
#[model]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// Words in the name.
    #[schemars(length(min = 1, max = 80))]
    pub words: String,
    /// Only in these categories.
    #[serde(default)]
    pub categories: Vec<String>,
    /// How to sort.
    pub order: Option<Order>,
    /// At most this price.
    pub max_price: Option<f64>,
    /// Whether to show what is sold out.
    #[deprecated]
    #[serde(default)]
    pub all: bool,
    #[serde(flatten)]
    pub page: Page,
}

/// One thing or another.
#[model]
#[serde(untagged)]
pub enum By {
    /// The number of an article.
    Number {
        /// Printed on it.
        number: u64,
    },
    /// Its name.
    Name {
        /// As in the catalogue.
        name: String,
    },
}

/// Which article.
#[model]
pub struct Which {
    #[serde(flatten)]
    pub by: By,
    /// In which language.
    pub language: Option<String>,
}

/// Something to buy.
#[model]
pub struct Article {
    /// Printed on it.
    pub number: u64,
    /// What it is called.
    pub name: String,
    /// What it costs.
    pub price: Money,
    /// Where it stands.
    pub category: Category,
    /// Whatever else is known.
    pub properties: BTreeMap<String, Property>,
    /// Width, height and depth in metres.
    pub size: Option<(f32, f32, f32)>,
}

/// What is known of an article.
#[model]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Property {
    /// A text.
    Text {
        /// The text.
        text: String,
    },
    /// A measure.
    Measure {
        /// How much.
        value: f64,
        /// Of what.
        unit: String,
    },
    /// There is nothing to say.
    Unknown,
}

/// A group of articles, in groups.
#[model]
pub struct Category {
    /// What it is called.
    pub name: String,
    /// What it consists of.
    #[serde(default)]
    pub parts: Vec<Category>,
}

/// Where invoices go.
#[model]
pub struct Address {
    /// The street.
    pub street: String,
}

/// What a customer wants.
#[model]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// Which articles, and how many of each.
    #[schemars(length(min = 1, max = 50))]
    pub articles: Vec<Line>,
    /// Where to.
    pub ship_to: super::depot::Address,
    /// Who pays.
    pub bill_to: Option<Address>,
    /// For the driver.
    pub note: Option<serde_json::Value>,
}

/// So many of an article.
#[model]
pub struct Line {
    /// The number of the article.
    pub number: u64,
    /// How many.
    #[serde(default = "one")]
    pub count: u32,
}

fn one() -> u32 {
    1
}

/// What was ordered.
#[model]
pub struct Receipt {
    /// The number of the order.
    pub id: String,
    /// As it was understood.
    pub lines: Vec<Line>,
    /// What is wrong with the address.
    pub problems: Vec<Problem>,
}

/// What is wrong with an address.
#[model]
pub struct Problem {
    /// In words.
    pub text: String,
}

/// What happened to a parcel.
#[model]
pub struct Parcel {
    /// The number of the order.
    pub id: String,
    /// Where it is.
    pub place: String,
}

/// A number.
#[model]
pub struct Number {
    /// Printed on it.
    pub number: u64,
}

/// Articles to look at and to buy.
///
/// Prices are in **euros**.
#[service(name = "shop", title = "The shop", auth = optional)]
pub struct Shop;

#[service]
impl Shop {
    /// Articles that fit.
    ///
    /// The best come first.
    #[expose_method(GET, cache = "60s", quota = "100/min", price = "0.001 EUR")]
    async fn search(&self, search: Search) -> Result<Vec<Article>> {
        Err(Error::internal(search.words))
    }

    /// One article.
    #[expose_method(GET, name = "look-up", auth = none)]
    async fn look_up(&self, which: Which) -> Result<Option<Article>> {
        Err(Error::internal(format!("{which:?}")))
    }

    /// The categories, in each other.
    #[expose_method(GET)]
    async fn categories(&self) -> Result<Category> {
        Ok(Category { name: "all".into(), parts: Vec::new() })
    }

    /// Puts the categories in another order.
    #[expose_method(PUT, auth = required, scopes("shop:write"))]
    async fn arrange(&self, all: Category) -> Result<()> {
        Err(Error::internal(all.name))
    }

    /// Changes what an article is called.
    #[expose_method(PATCH, scopes("shop:write", "shop:names"), deprecated)]
    async fn rename(&self, names: BTreeMap<String, String>) -> Result<()> {
        Err(Error::internal(names.len()))
    }

    /// Takes an article away.
    #[expose_method(DELETE, scopes("shop:write"))]
    async fn remove(&self, which: Number) -> Result<()> {
        Err(Error::internal(which.number))
    }

    /// Orders.
    #[expose_method(POST, idempotency = required, auth = required, timeout = "2500ms")]
    async fn order(&self, wish: Wish) -> Result<Receipt> {
        Err(Error::internal(wish.articles.len()))
    }

    /// New articles, as they come.
    #[expose_method(GET)]
    async fn news(&self, page: Page) -> Result<Streaming<Article>> {
        Err(Error::internal(page.skip))
    }

    /// All articles.
    #[expose_method(GET)]
    async fn table(&self) -> Result<Raw<Csv>> {
        Ok(Raw::new("number,name\n"))
    }

    /// A picture of an article.
    #[expose_method(GET)]
    async fn picture(&self, which: Number) -> Result<Raw<Png>> {
        Err(Error::internal(which.number))
    }

    /// Empties the cart.
    #[expose_method(POST)]
    async fn reset(&self, page: Option<Page>) -> Result<()> {
        Err(Error::internal(page.is_some()))
    }

    /// A parcel has moved.
    #[expose_method(POST, webhook = HmacSha256("SHOP_PARCEL_SECRET"))]
    async fn parcel(&self, parcel: Parcel) -> Result<()> {
        Err(Error::internal(parcel.place))
    }
}
