//! Everything that Letterpress says to readers: which phrases there are, and what each leaves open.
//!
//! A language is one file in `languages` that fills in [`Words`]; the compiler refuses one that lacks a phrase, and a
//! test one whose placeholders are not those named here. `{list}` is the newsletter's name as it stands; a language
//! that puts marks of its own around titles writes `{title}` instead, the name without such marks.

/// Declares the phrases, each with the placeholders that it must hold.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident($($hole:ident)*);)*) => {
        /// What Letterpress says in one language.
        #[derive(Debug)]
        pub(crate) struct Words {
            /// The tag of the language (BCP 47).
            pub(super) tag: &'static str,
            /// How it writes days, times and spans.
            pub(super) calendar: Calendar,
            $($(#[$doc])* pub(crate) $name: &'static str,)*
        }

        #[cfg(test)]
        impl Words {
            /// Every phrase: its name, its text, and the placeholders that it must hold.
            pub(super) fn all(&self) -> Vec<(&'static str, &'static str, Vec<&'static str>)> {
                vec![$((stringify!($name), self.$name, vec![$(stringify!($hole)),*]),)*]
            }
        }
    };
}

/// How a language writes days, times and spans. In patterns, `{d}` is the day, `{m}` the month as a number, `{month}`
/// its name, `{weekday}` the day of the week, `{year}` the year, `{day}` a day, `{time}` the time of day.
#[derive(Debug)]
pub(crate) struct Calendar {
    /// January first; empty where months are numbers.
    pub(super) months: [&'static str; 12],
    /// Monday first.
    pub(super) weekdays: [&'static str; 7],
    /// The first day of a month, where it is no plain number: `1er`.
    pub(super) first: &'static str,
    /// A day with its year.
    pub(super) date: &'static str,
    /// A day with its day of the week, without its year.
    pub(super) weekday_date: &'static str,
    /// A day alone.
    pub(super) short_date: &'static str,
    /// A moment of the next few days, with its `{zone}`, for mails.
    pub(super) moment: &'static str,
    /// A day and an hour, for pages.
    pub(super) day_and_hour: &'static str,
    /// Which of the forms below a number takes.
    pub(super) plural: PluralRule,
    /// Small numbers in words, from zero; empty where digits stand.
    pub(super) numerals: &'static [&'static str],
    /// `{count}` minutes.
    pub(super) minutes: Plural,
    /// `{count}` hours.
    pub(super) hours: Plural,
    /// `{count}` days.
    pub(super) days: Plural,
}

/// How a noun is written beside a number. Forms that a language does not distinguish repeat another.
#[derive(Debug)]
pub(crate) struct Plural {
    pub(super) one: &'static str,
    pub(super) two: &'static str,
    pub(super) few: &'static str,
    pub(super) many: &'static str,
    pub(super) other: &'static str,
}

impl Plural {
    /// A noun with one form.
    pub(super) const fn same(form: &'static str) -> Plural {
        Plural::of(form, form)
    }

    /// A noun with a singular and a plural.
    pub(super) const fn of(one: &'static str, other: &'static str) -> Plural {
        Plural {
            one,
            two: other,
            few: other,
            many: other,
            other,
        }
    }
}

/// Which form of a noun a number takes (CLDR's plural rules, as far as these languages need them).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PluralRule {
    /// One form for all.
    None,
    /// One, and the rest.
    One,
    /// Zero and one, and the rest.
    ZeroAndOne,
    /// Singular, dual, three to ten, eleven to ninety-nine, and the rest.
    Arabic,
}

impl PluralRule {
    /// The form of a noun beside a number.
    pub(super) fn pick(self, noun: &Plural, count: u64) -> &'static str {
        match (self, count, count % 100) {
            (PluralRule::None, ..) => noun.other,
            (PluralRule::ZeroAndOne, 0 | 1, _) => noun.one,
            (PluralRule::One | PluralRule::Arabic, 1, _) => noun.one,
            (PluralRule::Arabic, 2, _) => noun.two,
            (PluralRule::Arabic, _, 3..=10) => noun.few,
            (PluralRule::Arabic, _, 11..=99) => noun.many,
            _ => noun.other,
        }
    }
}

words! {
    // The mail of an issue.
    /// The issue's number, such as “No. 22”.
    number(number);
    /// The number of items in a section, at the end of its row in the contents.
    items(count);
    /// The heading over the contents.
    contents();
    /// The button of the call to subscribe, the form's button and title.
    subscribe();
    /// Why a reader gets the newsletter; the address stands before the day.
    why(list email date);
    /// The link to unsubscribe, the page's button and title.
    unsubscribe();
    /// The last line of mails and pages.
    sent_with();
    /// What a film is called whose author gives it no name.
    video();
    /// The same, where the site that shows it is known.
    video_on(site);
    /// The title of a remark.
    note();
    /// The title of a piece of advice.
    tip();
    /// The title of something that matters.
    important();
    /// The title of a warning.
    warning();
    /// The title of a stronger warning.
    caution();

    // The mail that asks to confirm.
    /// Its subject.
    confirm_subject(list);
    /// What mail programs show beside the subject.
    confirm_preheader();
    /// Its headline.
    confirm_heading();
    /// Who asked for what, a sentence.
    confirm_request(email);
    /// What to do, after that.
    confirm_please();
    /// The label of its button, and of the page's.
    confirm_button();
    /// In the text part: what comes before the link, in place of the button.
    confirm_open();
    /// What to do if somebody else asked.
    confirm_otherwise();
    /// What comes before the link for readers whose button does not work.
    confirm_trouble();
    /// What the button does, and until when it works.
    button_works_until(until);
    /// Until when the link works, for the text part.
    link_works_until(until);
    /// On which day somebody asked.
    requested(day);
    /// On which day and from which network somebody asked.
    requested_from(day network);

    // The pages to subscribe.
    /// The title of the form while something is wrong in it; `{page}` is its usual title.
    error_title(page);
    /// The label of the field.
    email_label();
    /// What happens after the button.
    what_follows();
    /// What the list of past issues is, for screen readers.
    recent_issues();
    /// The page after the form.
    check_mail();
    /// What happens now, whether or not the address is known.
    check_mail_lede(email);
    /// What to do where no mail comes, and for how long its button works.
    check_mail_note(from span);
    /// Back to the form.
    other_address();
    /// The answer to a program that signs somebody up.
    on_its_way(email);
    /// The page of a site with several newsletters.
    which_newsletter();
    /// What is wrong where nothing was entered.
    enter_address();
    /// What is wrong with an address without an @.
    address_without_at();
    /// What is wrong with an address such as mei@example.
    address_without_ending();
    /// What is wrong with any other address that can't be.
    address_unusable();
    /// What is wrong with a name that is too long.
    name_too_long(max);

    // The pages to confirm, to unsubscribe and to undo it.
    /// The title of the page to confirm.
    confirm_title();
    /// The headline of the page to confirm.
    confirm_page();
    /// Who is to be subscribed to what.
    confirm_page_lede(email list);
    /// Why the page asks again.
    confirm_page_hint();
    /// After confirming.
    subscribed();
    /// After undoing.
    subscribed_again();
    /// When the next issue comes.
    next_issue(when zone);
    /// The same where no schedule says when.
    will_get_next(email);
    /// The headline of the page to unsubscribe.
    leave_page();
    /// What unsubscribing means.
    leave_lede(email);
    /// After unsubscribing.
    left();
    /// The same, in a sentence.
    left_lede(email);
    /// The same, where the address is no longer known.
    left_lede_nameless();
    /// The button that takes it back.
    undo();
    /// Until when that is possible.
    undo_until(day);
    /// The headline of the page to undo.
    undo_page();
    /// What undoing means.
    undo_lede(email);
    /// The title of the page behind the links of a test copy.
    test_copy_title();
    /// Its headline.
    test_copy();
    /// What it is for.
    test_copy_lede();
    /// A link to the form.
    subscribe_here();
    /// A link to the list of newsletters.
    newsletters_here();

    // What can go wrong in a request, a headline and what to do.
    /// Nothing has this address.
    not_found();
    /// Why, perhaps.
    not_found_lede();
    /// A signed link that is incomplete.
    bad_link();
    /// What to do about it.
    bad_link_lede();
    /// The person of a link no longer exists.
    gone();
    /// What that means.
    gone_lede();
    /// The newsletter of a link has ended.
    closed();
    /// What that means.
    closed_lede();
    /// A confirmation link that has expired.
    expired();
    /// What to do about it.
    expired_lede();
    /// An unsubscription that is too old to be undone.
    too_late();
    /// What to do about it.
    too_late_lede();
    /// A request that can't be read.
    malformed();
    /// A value that is not valid.
    invalid();
    /// No newsletter has this name.
    unknown_list();
    /// What that means.
    unknown_list_lede();
    /// There are several newsletters, and none was named.
    which_list_lede();
    /// Too many sign-ups from one network.
    too_many();
    /// What to do about it.
    too_many_lede();
    /// Too many people sign up at once.
    crowded();
    /// What to do about it.
    crowded_lede();
    /// The address takes no such request.
    wrong_method();
    /// What that means.
    wrong_method_lede();
    /// A request that is too long.
    too_large();
    /// How long it may be.
    too_large_lede();
    /// A request that took too long.
    too_slow();
    /// What that means.
    too_slow_lede();
    /// The database can't be written for now.
    busy();
    /// What that means.
    busy_lede();
    /// A fault on our side.
    broken();
    /// What that means.
    broken_lede();
}
