//! Files of other products against a real database: who left there is active nowhere here.

use super::tests::{Newsletter, import_file};

/// Imports a file of that name; gives everybody's state, or why the file was refused.
async fn import_as(name: &str, text: &str) -> Result<Vec<String>, String> {
    let newsletter = Newsletter::new().await;
    let plan = newsletter.plan_as(name, text.as_bytes());
    let done = import_file(&newsletter.store, plan, |_| ()).await;
    let states: Vec<String> = newsletter
        .states()
        .await
        .iter()
        .map(|place| place.replace("@readers.example weekly", ""))
        .collect();
    match done {
        Ok(_) => Ok(states),
        Err(why) => {
            assert!(states.is_empty(), "refused, and still imported: {states:?}");
            Err(why.to_string())
        }
    }
}

#[tokio::test]
async fn who_left_another_product_does_not_become_active() {
    for (name, text, wanted) in [
        (
            "ghost.csv",
            "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n\
             1,in@readers.example,In,,true,,,2023-09-01T08:00:00.000Z,,,\n\
             2,out@readers.example,Out,,false,,,2023-09-02T08:00:00.000Z,,,\n\
             3,gone@readers.example,Gone,,true,,,2023-09-03T08:00:00.000Z,2024-01-01T00:00:00.000Z,,\n",
            &["gone unsubscribed", "in active", "out unsubscribed"][..],
        ),
        (
            "substack.csv",
            "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at\n\
             in@readers.example,false,,other,false,2024-02-01T10:11:12.000Z,\n\
             out@readers.example,true,,other,true,2024-04-01T10:11:12.000Z,\n",
            &["in active", "out unsubscribed"],
        ),
        (
            "listmonk.csv",
            "uuid,email,name,attributes,status,created_at,updated_at\n\
             1,in@readers.example,In,\"{}\",enabled,2024-01-01,2024-01-01\n\
             2,out@readers.example,Out,{},blocklisted,2024-01-01,2024-01-01\n\
             3,off@readers.example,Off,{},disabled,2024-01-01,2024-01-01\n",
            &["in active", "off unsubscribed", "out unsubscribed"],
        ),
        (
            "beehiiv.csv",
            "Email,Status,Created At,Subscription Tier\nin@readers.example,active,2025-10-10,free\n\
             out@readers.example,inactive,2025-09-09,free\nask@readers.example,pending,2025-09-09,free\n\
             bad@readers.example,invalid,2025-09-09,free\nlook@readers.example,needs_attention,2025-09-09,free\n",
            &[
                "ask pending",
                "bad bounced",
                "in active",
                "out unsubscribed",
            ],
        ),
        (
            "shopify.csv",
            "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Phone,Accepts SMS Marketing,Total Spent\n\
             1,In,Deed,in@readers.example,yes,,no,1.00\n2,Out,Side,out@readers.example,no,,yes,2.00\n",
            &["in active", "out unsubscribed"],
        ),
        (
            "klaviyo.csv",
            "Email,Klaviyo ID,First Name,Email Marketing Consent,Email Marketing Consent Timestamp,SMS Marketing Consent\n\
             in@readers.example,1,In,SUBSCRIBED,2024-01-01 10:00:00,NEVER_SUBSCRIBED\n\
             out@readers.example,2,Out,UNSUBSCRIBED,2024-01-01 10:00:00,\n\
             never@readers.example,3,Never,NEVER_SUBSCRIBED,,\nblank@readers.example,4,Blank,,,\n",
            &["in active", "out unsubscribed"],
        ),
        (
            "people.csv",
            "Email Address,First Name,MEMBER_RATING,OPTIN_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,LEID,EUID\n\
             out@readers.example,Out,1,2020-01-02 03:04:05,2023-05-06 07:08:09,Issue 12,No longer interested,1,a\n",
            &["out unsubscribed"],
        ),
        (
            "cleaned_email_audience_export_0a1b.csv",
            "\"Email Address\",\"First Name\",MEMBER_RATING,LEID,EUID\n\"bad@readers.example\",Bad,1,1,a\n",
            &["bad bounced"],
        ),
        (
            "buttondown.csv",
            "id,email_address,notes,metadata,tags,referrer_url,creation_date,type,source\n\
             1,in@readers.example,,{},,,2023-01-05T06:07:08Z,regular,api\n\
             2,out@readers.example,,{},,,2022-01-05T06:07:08Z,unsubscribed,import\n\
             3,ask@readers.example,,{},,,2022-01-05T06:07:08Z,unactivated,import\n\
             4,spam@readers.example,,{},,,2022-02-05T06:07:08Z,complained,import\n",
            &[
                "ask pending",
                "in active",
                "out unsubscribed",
                "spam complained",
            ],
        ),
        (
            "kit.csv",
            "first_name,email_address,state,created_at\nIn,in@readers.example,active,2025-03-03\n\
             Out,out@readers.example,cancelled,2024-03-03\nBad,bad@readers.example,bounced,2024-04-03\n",
            &["bad bounced", "in active", "out unsubscribed"],
        ),
        (
            "patreon.csv",
            "Name,Email,Patron Status,Follows You,Lifetime Amount,Last Charge Status,Patronage Since Date\n\
             In,in@readers.example,Active patron,No,20.00,Paid,2024-01-02\n\
             Out,out@readers.example,Former patron,No,5.00,Declined,2023-01-02\n",
            &["in active"],
        ),
        (
            "german.csv",
            "Vorname,Nachname,E-Mail-Adresse,Anmeldedatum,Abgemeldet am,Einwilligung\n\
             In,A,in@readers.example,03.04.2024,,ja\nOut,B,out@readers.example,03.04.2024,05.06.2024,ja\n\
             Nein,C,nein@readers.example,03.04.2024,,nein\n",
            &["in active", "nein unsubscribed", "out unsubscribed"],
        ),
        (
            "phplist.csv",
            "email,confirmed,blacklisted,bouncecount,htmlemail\nin@readers.example,1,0,0,1\n\
             ask@readers.example,0,0,0,1\nout@readers.example,1,1,0,1\n",
            &["ask pending", "in active", "out unsubscribed"],
        ),
    ] {
        assert_eq!(import_as(name, text).await.unwrap(), wanted, "{name}");
    }
}

#[tokio::test]
async fn a_file_whose_consent_is_not_certain_is_refused_whole() {
    for (name, text, wanted) in [
        (
            "people.csv",
            "email,Consent level\nin@readers.example,full\n",
            "people.csv:1: the column “Consent level” may say",
        ),
        (
            "people.csv",
            "email,Status\nin@readers.example,active\nodd@readers.example,asleep\n",
            "people.csv:3: the column “Status” says “asleep”",
        ),
        (
            "people.csv",
            "email,Opt-in\nin@readers.example,yes\nodd@readers.example,2\n",
            "people.csv:3: the column “Opt-in” says “2”",
        ),
        (
            "people.csv",
            "email,Group\nin@readers.example,gold\nout@readers.example,Unsubscribed\n",
            "people.csv:3: the column “Group” says “Unsubscribed”",
        ),
        (
            "people.csv",
            "email,bounce_count\nin@readers.example,0\nodd@readers.example,3\n",
            "people.csv:3: the column “bounce_count” says “3”",
        ),
        (
            "people.csv",
            "email,OK to email\nin@readers.example,yes\nout@readers.example,No\n",
            "people.csv:3: the column “OK to email” says “No”",
        ),
        (
            "people.csv",
            "email,tags\nin@readers.example,gold\nout@readers.example,\"silver,Unsubscribed\"\n",
            "people.csv:3: the column “tags” says “Unsubscribed”",
        ),
        (
            "unsubscribed people.csv",
            "email,name\nout@readers.example,Out\n",
            "unsubscribed people.csv:1: by its name the file",
        ),
        (
            "nonsubscribed_email_audience_export_0a1b.csv",
            "Email Address,LEID,EUID\nnever@readers.example,1,a\n",
            "by its name the file",
        ),
        (
            "people.csv",
            "E-mail Address,Primary email\na@readers.example,b@readers.example\n",
            "“E-mail Address” and “Primary email” may both be the address",
        ),
    ] {
        let said = import_as(name, text).await.unwrap_err();
        assert!(said.contains(wanted) && !said.contains('\n'), "{said}");
        assert!(said.contains("Nothing was imported."), "{said}");
    }
}

#[tokio::test]
async fn names_come_from_one_column_or_from_two() {
    let newsletter = Newsletter::new().await;
    newsletter
        .import("First Name,Last Name,Email Address\nAnn,Lee,a@readers.example\nBo,,b@readers.example\n")
        .await;
    newsletter
        .import("E-Mail,Name,Vorname,Nachname\nc@readers.example,Dr. C,Cy,Lo\nd@readers.example,,Di,Lo\n")
        .await;
    assert_eq!(
        newsletter.names().await,
        ["Ann Lee", "Bo", "Dr. C", "Di Lo"]
    );
}
