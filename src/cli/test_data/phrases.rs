//! What the people of the test data are called and say.

pub const NAMES: &[&str] = &[
    "anna",
    "ben",
    "chloe",
    "daniel",
    "emma",
    "felix",
    "grace",
    "henry",
    "ines",
    "jonas",
    "kofi",
    "lucia",
    "marta",
    "nadia",
    "omar",
    "priya",
    "quentin",
    "rosa",
    "sofie",
    "tomas",
    "uma",
    "victor",
    "wen",
    "xenia",
    "yusuf",
    "zoe",
    "Björn",
    "Zoë",
    "Łukasz",
    "Žofie",
    "Çağla",
    "Иван",
    "Ольга",
    "Ελένη",
    "Γιώργος",
    "יעל",
    "דוד",
    "ليلى",
    "عمر",
    "ゆき",
    "さくら",
    "健太",
    "小明",
    "美玲",
    "민준",
    "서연",
    "अनिका",
    "राहुल",
    "สมชาย",
    "ნინო",
    "Անի",
    "ሰላም",
];

pub const FAMILIES: &[&str] = &[
    "adler", "baker", "cruz", "dietrich", "evans", "fischer", "garcia", "hansen", "ito", "jansen", "kim", "lopez",
    "mensah", "novak", "okafor", "petrov", "quist", "rossi", "silva", "tanaka", "unger", "varga", "weiss", "young",
];

pub const EMOJI: &[&str] = &[
    "🙂",
    "😂",
    "🎉",
    "👍",
    "❤️",
    "🙏",
    "🔥",
    "😅",
    "🤔",
    "🚀",
    "☕",
    "🌧️",
    "👩‍👩‍👧‍👦",
    "🇨🇿",
    "👋🏽",
    "🧑‍💻",
    "🍕",
    "🐈",
    "✅",
    "💡",
];

const ENGLISH: &[&str] = &[
    "Did you see the notes from this morning?",
    "On my way, ten minutes.",
    "That works for me.",
    "Let's move it to Thursday.",
    "I'll bring the cables.",
    "Can you send me the address again?",
    "Sounds good!",
    "No rush, whenever you have time.",
    "The train is late again.",
    "I fixed the typo and pushed it.",
    "Lunch at one?",
    "Haha, exactly.",
    "Sorry, missed your call.",
    "The key is under the blue pot.",
    "Happy birthday!",
    "I think we should ask Marta first.",
    "It's in the shared folder.",
    "Thanks a lot, that helped.",
    "Are we still on for tonight?",
    "Give me five minutes.",
    "Done.",
    "Perfect, see you there.",
];
const GERMAN: &[&str] = &[
    "Bin gleich da.",
    "Hast du kurz Zeit?",
    "Passt, bis morgen!",
    "Ich schau später drüber.",
    "Wo treffen wir uns?",
    "Der Termin ist verschoben.",
    "Danke dir!",
    "Kannst du Brot mitbringen?",
    "Läuft wieder alles.",
    "Schönes Wochenende!",
];
const SPANISH: &[&str] = &[
    "¿Cómo va todo?",
    "Llego en diez minutos.",
    "Perfecto, gracias.",
    "¿Quedamos mañana?",
    "No te preocupes.",
    "Te lo mando esta tarde.",
    "¡Qué buena noticia!",
    "Ya está arreglado.",
    "¿Dónde estás?",
    "Un abrazo.",
];
const CZECH: &[&str] = &[
    "Ahoj, stihneš to dneska?",
    "Jasně, ozvu se večer.",
    "Příliš žluťoučký kůň…",
    "Díky moc!",
    "Už je to hotové.",
    "Kde se potkáme?",
    "Vlak má zpoždění.",
    "Super, těším se.",
];
const GREEK: &[&str] = &["Καλημέρα!", "Έρχομαι σε λίγο.", "Ευχαριστώ πολύ.", "Πού είσαι;", "Τα λέμε αύριο.", "Τέλεια!"];
const RUSSIAN: &[&str] =
    &["Привет!", "Уже еду.", "Спасибо большое.", "Созвонимся вечером?", "Всё готово.", "Хорошо, до завтра."];
const HEBREW: &[&str] = &["בוקר טוב", "אני בדרך.", "תודה רבה!", "נדבר מחר?", "הכול מוכן.", "איפה אתה?"];
const ARABIC: &[&str] = &["صباح الخير", "أنا في الطريق.", "شكرا جزيلا", "نلتقي غدا؟", "تم.", "أين أنت؟"];
const JAPANESE: &[&str] =
    &["おはようございます。", "今向かっています。", "ありがとう！", "明日はどう？", "了解です。", "資料を送りました。"];
const CHINESE: &[&str] = &["早上好！", "我马上到。", "谢谢你。", "明天见？", "文件发给你了。", "没问题。"];
const KOREAN: &[&str] =
    &["안녕하세요!", "지금 가고 있어요.", "고마워요.", "내일 볼까요?", "다 됐어요.", "네, 알겠습니다."];
const HINDI: &[&str] = &["नमस्ते!", "मैं रास्ते में हूँ।", "बहुत धन्यवाद।", "कल मिलते हैं?", "हो गया।", "ठीक है।"];

pub const LANGUAGES: &[&[&str]] = &[
    ENGLISH, ENGLISH, ENGLISH, GERMAN, SPANISH, CZECH, GREEK, RUSSIAN, HEBREW, ARABIC, JAPANESE, CHINESE, KOREAN, HINDI,
];

/// The conversation of the demo: who (0 or 1), and what.
pub const DEMO: &[(usize, &str)] = &[
    (1, "Hi! Is this the new message center?"),
    (0, "It is. One binary, one command, and it's ours. 🎉"),
    (1, "And if the server goes away for a moment?"),
    (0, "Then you go on typing. What you send waits here, and goes out once, in order, when it is back."),
    (1, "Even twice the same text?"),
    (0, "Twice the same text is two messages. The same send is one, however often the network stutters."),
    (1, "I'll pull the cable then 😄"),
    (0, "Please do. Stop the server in the terminal, write something, start it again."),
    (1, "What about my phone?"),
    (0, "Make this window narrow. Or open it there: everything you have read here is read there."),
    (1, "日本語も עברית も 👩‍👩‍👧‍👦 too?"),
    (0, "Any script, any emoji. https://example.org is a link, <b>this</b> is just text."),
    (1, "Nice. I have one more question…"),
    (1, "When do we switch?"),
];
