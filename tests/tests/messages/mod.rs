//! Messages in both directions: requests on routes of the bus, and calls of methods over the bus;
//! over the in-process broker, and over RabbitMQ where there is one.

mod calls;
mod chores;
mod deleted;
mod events;
mod faults;
mod office;
mod ordering;
mod raw;
mod relay;
mod replies;
mod restarts;
mod unparsable;
mod unread;

/// Runs a test over each broker: `over_each!(name)` makes `name::in_process` and `name::rabbitmq`
/// of `async fn name(office)`.
macro_rules! over_each {
    ($($name:ident)*) => {$(
        mod $name {
            use crate::messages::office::Broker;

            #[tokio::test]
            async fn in_process() {
                super::$name(Broker::in_process()).await;
            }

            #[tokio::test]
            async fn rabbitmq() {
                let Some(broker) = Broker::rabbitmq() else { return };
                super::$name(broker).await;
            }
        }
    )*};
}
use over_each;
