//! Places of services: private, in functions, in other modules than their impl blocks, and in
//! several blocks.

use gateway_runtime::{
    Binder, CallRequest, Error, FromApp, FromCall, ProviderError, Providers, Result, StartError,
    capability, expose_method, model, provide_method, provider, service,
};

#[service]
struct Private {
    answers: Answers,
}

#[derive(FromApp, Clone, Copy)]
struct Answers;

impl Answers {
    fn none(self) -> Result<()> {
        let Self = self;
        "1".parse::<u8>().map(drop).map_err(|_| Error::not_found("no answer"))
    }
}

struct Anything;

impl FromCall for Anything {
    type State = ();

    fn prepare(_: &mut Binder<'_>) -> Result<(), StartError> {
        Ok(())
    }

    async fn from_call((): &(), _: &mut CallRequest) -> Result<Self> {
        Ok(Self)
    }
}

#[service]
impl Private {
    #[expose_method(POST)]
    async fn one(&self, anything: Anything) -> Result<()> {
        let Anything = anything;
        self.helper()
    }

    fn helper(&self) -> Result<()> {
        self.answers.none()
    }
}

/// A second impl block.
#[service]
impl Private {
    const TWO: u32 = 2;

    #[expose_method(POST)]
    async fn two(&self) -> Result<u32> {
        Ok(Self::TWO)
    }

    #[cfg(any())]
    #[expose_method(POST)]
    async fn absent(&self) -> Result<ThisTypeDoesNotExist> {
        Ok(ThisTypeDoesNotExist)
    }

    #[cfg(debug_assertions)]
    #[expose_method(POST, name = "present")]
    async fn either(&self) -> Result<()> {
        Ok(())
    }

    #[cfg(not(debug_assertions))]
    #[expose_method(POST, name = "present")]
    async fn either(&self) -> Result<()> {
        Err(Error::not_found("neither"))
    }

    /// A deprecated method.
    #[deprecated = "say it otherwise"]
    #[expose_method(POST)]
    async fn old(&self, Anything: Anything) -> Result<()> {
        Ok(())
    }
}

pub(crate) mod inner {
    //! A module between.

    use gateway_runtime::{FromCall, Result, expose_method, service};

    #[service]
    impl super::Private {
        #[expose_method(POST)]
        async fn three(&self, nothing: Nothing) -> Result<u32> {
            let Nothing = nothing;
            Ok(3)
        }
    }

    #[derive(FromCall)]
    struct Nothing;
}

#[service]
#[cfg(any())]
struct Absent(ThisTypeDoesNotExist);

#[service]
#[cfg(any())]
impl Absent {}

#[capability]
#[cfg(any())]
trait AbsentToo {}

#[provider]
#[cfg(any())]
struct NeverBuilt;

#[model]
#[cfg(any())]
struct NeverSent;

#[service]
#[cfg(debug_assertions)]
#[derive(Debug)]
struct Conditional;

#[service]
#[cfg(debug_assertions)]
impl Conditional {
    #[expose_method(POST)]
    async fn there(&self) -> Result<String> {
        Ok(format!("{self:?}"))
    }
}

/// A service in a function.
#[must_use]
pub fn in_a_function() -> u32 {
    #[model]
    struct Query {
        word: String,
    }

    #[capability]
    trait Local {
        #[provide_method(effect = once)]
        async fn local(&self, query: &Query) -> Result<String, ProviderError>;
    }

    #[provider]
    struct Here;

    #[provider]
    impl Local for Here {
        async fn local(&self, query: &Query) -> Result<String, ProviderError> {
            Ok(query.word.clone())
        }
    }

    #[service]
    struct InAFunction;

    #[service]
    impl InAFunction {
        #[expose_method(POST)]
        async fn call(&self, query: Query, local: Providers<dyn Local>) -> Result<String> {
            Ok(local.local(&query).await?)
        }
    }

    line!()
}
