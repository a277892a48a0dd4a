//! People who sign up, and the confirmation mails that they get.

use std::time::Duration;

use letterpress::model::Address;
use letterpress::model::delivery::State;
use letterpress::model::rendered::{Context, MergeField, Piece, Purpose};
use letterpress::model::subscription::SignUp;

use crate::fixture::{Newsletter, rendered, until};
use crate::server::Server;

impl Newsletter {
    pub(crate) async fn sign_up(&self, who: &str) {
        let mut mail = rendered("Please confirm:");
        mail.text.push(Piece::Field {
            field: MergeField::Link(Purpose::Confirm),
            context: Context::Text,
        });
        let email = Address::parse(who).unwrap();
        let hour = Duration::from_secs(3600);
        let done = self
            .store
            .sign_up(self.list, &email, "New", self.consent(), mail, hour)
            .await
            .unwrap();
        assert_eq!(done, SignUp::Asked);
    }

    /// What became of somebody's confirmation, and after how many tries.
    pub(crate) async fn confirmation(&self, who: &str) -> (State, u32) {
        let person = self
            .store
            .find_subscriber(&Address::parse(who).unwrap())
            .await
            .unwrap()
            .unwrap();
        let mail = self
            .store
            .system_mails_to(person.id)
            .await
            .unwrap()
            .remove(0);
        (mail.state, mail.attempts)
    }

    /// Waits until somebody has their confirmation, once, and the ledger says so.
    pub(crate) async fn confirmed(&self, who: &str, server: &Server) {
        until("the confirmation", async || {
            self.confirmation(who).await.0 == State::Sent
        })
        .await;
        assert_eq!(server.count(who), 1);
    }
}
