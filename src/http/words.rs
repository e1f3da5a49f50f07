//! What the pages for people without a session say, in the languages of the client. Everything else that the server
//! writes is for programs, or for whoever looks at what programs read, and is English; [`super::refusals`] has other
//! words for what people read of it.
//!
//! To add a language: its words in [`ALL`], its list in `refusals`, and its files in `frontend/src/words`.

use rocket::request::Request;

use super::cookies;

/// The words of one language.
pub struct Words {
    pub lang: &'static str,
    pub dir: &'static str,
    pub title: &'static str,
    pub heading: &'static str,
    pub username: &'static str,
    pub password: &'static str,
    pub sign_in: &'static str,
    pub error: &'static str,
    pub wrong: &'static str,
    /// `#` stands for the seconds.
    pub too_many: &'static str,
    /// As above, with the right password.
    pub too_often: &'static str,
    /// The server has a problem, which is none of the reader's making.
    pub trouble: &'static str,
    /// Before the number of the request, to be quoted.
    pub request: &'static str,
    pub again: &'static str,
    /// The server does not answer at all: said by the page itself.
    pub unreachable: &'static str,
    pub caps_lock: &'static str,
    /// To make an account: the page's title, its button, and the link to it.
    pub sign_up: &'static str,
    pub email_optional: &'static str,
    pub password_hint: &'static str,
    pub have_an_account: &'static str,
    pub sign_up_closed: &'static str,
    pub sign_up_by_invite: &'static str,
    /// `#` stands for the minutes.
    pub too_many_accounts: &'static str,
    pub email: &'static str,
    /// `#` stands for the address.
    pub sign_up_sent: &'static str,
    /// To choose a new password without the old one.
    pub forgot: &'static str,
    pub forgot_text: &'static str,
    pub name_or_email: &'static str,
    pub send_link: &'static str,
    pub link_sent: &'static str,
    /// `#` stands for the minutes.
    pub too_many_links: &'static str,
    pub no_mail: &'static str,
    pub choose_password: &'static str,
    pub set_password: &'static str,
    /// `#` stands for the name.
    pub password_set: &'static str,
    pub link_unusable: &'static str,
    pub confirm_email: &'static str,
    /// `#` stands for the address.
    pub confirm_email_text: &'static str,
    pub confirm: &'static str,
    /// `#` stands for the address.
    pub email_confirmed: &'static str,
    pub go_on: &'static str,
    /// The second step of signing in: the page's title, and what is on it.
    pub second_step: &'static str,
    pub code: &'static str,
    pub code_hint: &'static str,
    pub use_recovery_code: &'static str,
    pub recovery_code: &'static str,
    pub use_passkey: &'static str,
    pub start_again: &'static str,
    pub wrong_code: &'static str,
    /// `#` stands for the seconds.
    pub too_many_codes: &'static str,
    pub too_late: &'static str,
    pub passkey_refused: &'static str,
    pub no_passkeys_here: &'static str,
    pub no_passkey_shown: &'static str,
}

/// The first is for whoever asks for none of them.
pub const ALL: &[Words] = &[
    Words {
        lang: "en",
        dir: "ltr",
        title: "Sign in",
        heading: "Please sign in",
        username: "Username",
        password: "Password",
        sign_in: "Sign in",
        error: "Error!",
        wrong: super::session::WRONG,
        too_many: "Too many wrong passwords. Try again in # seconds.",
        too_often: "You have signed in very often just now. Try again in # seconds.",
        trouble: "The server has a problem at the moment. Try again shortly.",
        request: "If you ask for help, quote request",
        again: "Try again",
        unreachable: "The server cannot be reached. What you typed is still here: check the connection and try again.",
        caps_lock: "Caps Lock is on.",
        sign_up: "Create an account",
        email_optional: "Email (optional)",
        password_hint: "At least 8 characters; longer is better.",
        have_an_account: "I have an account",
        sign_up_closed: "Accounts are made by those who run this server. Ask them for one.",
        sign_up_by_invite: "You need an invite for an account here, and this link is none that can be used. It may have expired. Ask for a new one.",
        too_many_accounts: "Too many accounts were made from your address. Try again in # minutes.",
        email: "Email",
        sign_up_sent: "A link is on its way to #. With it your account is made. Look among your spam too.",
        forgot: "Forgot your password?",
        forgot_text: "A link for a new password is sent to the email address of your account.",
        name_or_email: "Username or email",
        send_link: "Send a link",
        link_sent: "If there is such an account, a link is on its way to its address. Look among your spam too.",
        too_many_links: "Too many links were asked for from your address. Try again in # minutes.",
        no_mail: "This server sends no mail. Ask those who run it for a new password.",
        choose_password: "Choose a new password",
        set_password: "Set the password",
        password_set: "The new password of # is set, and all devices were signed out. Sign in with it.",
        link_unusable: "This link cannot be used. Links work once, and not for long. Ask for a new one.",
        confirm_email: "Confirm your address",
        confirm_email_text: "# is to be the address of your account.",
        confirm: "Confirm",
        email_confirmed: "# is the address of your account now. Your other devices were signed out.",
        go_on: "Go on",
        second_step: "One more step",
        code: "Code",
        code_hint: "The six digits that your authenticator app shows now.",
        use_recovery_code: "Use a recovery code",
        recovery_code: "Recovery code",
        use_passkey: "Sign in with a passkey",
        start_again: "Start again",
        wrong_code: "This code is not right, or it has been used.",
        too_many_codes: "Too many wrong tries. Try again in # seconds.",
        too_late: "This took too long. Please sign in once more.",
        passkey_refused: "This passkey was not accepted.",
        no_passkeys_here: "Passkeys cannot be used at this address.",
        no_passkey_shown: "No passkey was shown. Try again, or use another way.",
    },
    Words {
        lang: "de",
        dir: "ltr",
        title: "Anmelden",
        heading: "Bitte melde dich an",
        username: "Benutzername",
        password: "Passwort",
        sign_in: "Anmelden",
        error: "Das hat nicht geklappt",
        wrong: "Benutzername oder Passwort stimmt nicht. Beim Passwort zählt die Groß- und Kleinschreibung.",
        too_many: "Zu viele falsche Passwörter. Versuche es in # Sekunden noch einmal.",
        too_often: "Du hast dich gerade sehr oft angemeldet. Versuche es in # Sekunden noch einmal.",
        trouble: "Der Server hat im Augenblick ein Problem. Versuche es gleich noch einmal.",
        request: "Wenn du um Hilfe bittest, nenne die Anfrage",
        again: "Noch einmal versuchen",
        unreachable: "Der Server ist nicht erreichbar. Was du eingegeben hast, ist noch da: Prüfe die Verbindung und versuche es noch einmal.",
        caps_lock: "Die Feststelltaste ist an.",
        sign_up: "Konto anlegen",
        email_optional: "E-Mail (freiwillig)",
        password_hint: "Mindestens 8 Zeichen, länger ist besser.",
        have_an_account: "Ich habe schon ein Konto",
        sign_up_closed: "Konten legt hier an, wer den Server betreibt. Bitte dort um eines.",
        sign_up_by_invite: "Für ein Konto brauchst du hier eine Einladung, und dieser Link ist keine, die gilt. Vielleicht ist sie abgelaufen. Bitte um eine neue.",
        too_many_accounts: "Von deiner Adresse aus wurden zu viele Konten angelegt. Versuche es in # Minuten noch einmal.",
        email: "E-Mail",
        sign_up_sent: "Ein Link ist unterwegs zu #. Mit ihm entsteht dein Konto. Sieh auch im Spam nach.",
        forgot: "Passwort vergessen?",
        forgot_text: "Ein Link für ein neues Passwort geht an die E-Mail-Adresse deines Kontos.",
        name_or_email: "Benutzername oder E-Mail",
        send_link: "Link schicken",
        link_sent: "Wenn es so ein Konto gibt, ist ein Link an seine Adresse unterwegs. Sieh auch im Spam nach.",
        too_many_links: "Von deiner Adresse aus wurde um zu viele Links gebeten. Versuche es in # Minuten noch einmal.",
        no_mail: "Dieser Server verschickt keine Mail. Bitte die, die ihn betreiben, um ein neues Passwort.",
        choose_password: "Neues Passwort wählen",
        set_password: "Passwort setzen",
        password_set: "Das neue Passwort von # gilt, und alle Geräte wurden abgemeldet. Melde dich damit an.",
        link_unusable: "Dieser Link gilt nicht. Links gelten einmal und nicht lange. Bitte um einen neuen.",
        confirm_email: "Adresse bestätigen",
        confirm_email_text: "# soll die Adresse deines Kontos werden.",
        confirm: "Bestätigen",
        email_confirmed: "# ist jetzt die Adresse deines Kontos. Deine anderen Geräte wurden abgemeldet.",
        go_on: "Weiter",
        second_step: "Noch ein Schritt",
        code: "Code",
        code_hint: "Die sechs Ziffern, die deine Authenticator-App jetzt anzeigt.",
        use_recovery_code: "Wiederherstellungscode verwenden",
        recovery_code: "Wiederherstellungscode",
        use_passkey: "Mit Passkey anmelden",
        start_again: "Von vorn anfangen",
        wrong_code: "Dieser Code stimmt nicht oder wurde schon verwendet.",
        too_many_codes: "Zu viele falsche Versuche. Versuche es in # Sekunden noch einmal.",
        too_late: "Das hat zu lange gedauert. Bitte melde dich noch einmal an.",
        passkey_refused: "Dieser Passkey wurde nicht angenommen.",
        no_passkeys_here: "Unter dieser Adresse gibt es keine Passkeys.",
        no_passkey_shown: "Es wurde kein Passkey gezeigt. Versuche es noch einmal oder nimm einen anderen Weg.",
    },
    Words {
        lang: "ar",
        dir: "rtl",
        title: "تسجيل الدخول",
        heading: "الرجاء تسجيل الدخول",
        username: "اسم المستخدم",
        password: "كلمة المرور",
        sign_in: "تسجيل الدخول",
        error: "لم ينجح ذلك",
        wrong: "اسم المستخدم أو كلمة المرور غير صحيحة. حالة الأحرف مهمة في كلمة المرور.",
        too_many: "محاولات خاطئة كثيرة. حاول من جديد بعد # ثانية.",
        too_often: "سجّلت الدخول مرات كثيرة للتو. حاول من جديد بعد # ثانية.",
        trouble: "لدى الخادم مشكلة في هذه اللحظة. حاول من جديد بعد قليل.",
        request: "عند طلب المساعدة اذكر رقم الطلب",
        again: "المحاولة من جديد",
        unreachable: "تعذّر الوصول إلى الخادم. ما كتبته ما زال هنا: تحقّق من الاتصال وحاول من جديد.",
        caps_lock: "مفتاح Caps Lock مفعّل.",
        sign_up: "إنشاء حساب",
        email_optional: "البريد الإلكتروني (اختياري)",
        password_hint: "٨ أحرف على الأقل، والأطول أفضل.",
        have_an_account: "لدي حساب",
        sign_up_closed: "الحسابات هنا ينشئها من يدير الخادم. اطلب منه حسابًا.",
        sign_up_by_invite: "تحتاج إلى دعوة لإنشاء حساب هنا، وهذا الرابط ليس دعوة صالحة. ربما انتهت صلاحيتها. اطلب دعوة جديدة.",
        too_many_accounts: "أُنشئت حسابات كثيرة من عنوانك. حاول من جديد بعد # دقيقة.",
        email: "البريد الإلكتروني",
        sign_up_sent: "أُرسل رابط إلى #. به يُنشأ حسابك. ابحث أيضًا في البريد غير المرغوب.",
        forgot: "نسيت كلمة المرور؟",
        forgot_text: "يُرسل رابط لكلمة مرور جديدة إلى البريد الإلكتروني لحسابك.",
        name_or_email: "اسم المستخدم أو البريد الإلكتروني",
        send_link: "إرسال رابط",
        link_sent: "إن كان هذا الحساب موجودًا فقد أُرسل رابط إلى عنوانه. ابحث أيضًا في البريد غير المرغوب.",
        too_many_links: "طُلبت روابط كثيرة من عنوانك. حاول من جديد بعد # دقيقة.",
        no_mail: "هذا الخادم لا يرسل بريدًا. اطلب كلمة مرور جديدة ممن يديره.",
        choose_password: "اختيار كلمة مرور جديدة",
        set_password: "حفظ كلمة المرور",
        password_set: "حُفظت كلمة المرور الجديدة للحساب # وسُجّل الخروج من كل الأجهزة. سجّل الدخول بها.",
        link_unusable: "لا يمكن استخدام هذا الرابط. تعمل الروابط مرة واحدة ولوقت قصير. اطلب رابطًا جديدًا.",
        confirm_email: "تأكيد العنوان",
        confirm_email_text: "سيصبح # عنوان حسابك.",
        confirm: "تأكيد",
        email_confirmed: "# هو عنوان حسابك الآن. سُجّل الخروج من أجهزتك الأخرى.",
        go_on: "متابعة",
        second_step: "خطوة أخرى",
        code: "الرمز",
        code_hint: "الأرقام الستة التي يعرضها تطبيق المصادقة الآن.",
        use_recovery_code: "استخدام رمز الاسترداد",
        recovery_code: "رمز الاسترداد",
        use_passkey: "تسجيل الدخول بمفتاح المرور",
        start_again: "البدء من جديد",
        wrong_code: "هذا الرمز غير صحيح أو سبق استخدامه.",
        too_many_codes: "محاولات خاطئة كثيرة. حاول من جديد بعد # ثانية.",
        too_late: "استغرق ذلك وقتًا طويلًا. سجّل الدخول مرة أخرى من فضلك.",
        passkey_refused: "لم يُقبل مفتاح المرور هذا.",
        no_passkeys_here: "لا يمكن استخدام مفاتيح المرور في هذا العنوان.",
        no_passkey_shown: "لم يُعرض أي مفتاح مرور. حاول من جديد أو اختر طريقة أخرى.",
    },
];

/// The cookie in which the client keeps the language that was chosen on this device.
const CHOSEN: &str = "chatd-language";

/// The words for whoever asks: in the language that was chosen there, or the best of those that the browser lists.
pub fn of(req: &Request<'_>) -> &'static Words {
    let chosen = cookies::value(req, CHOSEN);
    let listed = req.headers().get_one("Accept-Language").unwrap_or_default();
    chosen.as_deref().and_then(named).or_else(|| best(listed)).unwrap_or(&ALL[0])
}

fn named(lang: &str) -> Option<&'static Words> {
    ALL.iter().find(|words| words.lang.eq_ignore_ascii_case(lang))
}

/// The best of a list such as `de-CH, fr;q=0.9, en;q=0.8`: by its weight, then by its place. What cannot be read is
/// passed over.
fn best(listed: &str) -> Option<&'static Words> {
    let wanted = listed.split(',').take(20).filter_map(|each| {
        let (tag, weight) = each.split_once(';').unwrap_or((each, "q=1"));
        let weight: f32 = weight.trim().strip_prefix("q=")?.parse().ok()?;
        let words = named(tag.trim().split('-').next()?)?;
        (weight > 0.0).then_some((weight, words))
    });
    let first_best = |best: Option<(f32, &'static Words)>, next: (f32, &'static Words)| match best {
        Some(best) if best.0 >= next.0 => Some(best),
        _ => Some(next),
    };
    wanted.fold(None, first_best).map(|(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_language_of_a_list() {
        let lang = |listed| best(listed).map(|words| words.lang);
        for (listed, expected) in [
            ("", None),
            ("fr", None),
            ("de", Some("de")),
            ("de-CH, en;q=0.8", Some("de")),
            ("fr;q=0.9, ar-EG;q=0.7, en;q=0.8", Some("en")),
            ("en, de", Some("en")),
            ("EN-us;q=0.5, DE;q=0.5", Some("en")),
            ("de;q=0, ar;q=0.1", Some("ar")),
            ("de;q=x, ,;;, ar", Some("ar")),
            ("*", None),
        ] {
            assert_eq!(lang(listed), expected, "{listed}");
        }
    }
}
