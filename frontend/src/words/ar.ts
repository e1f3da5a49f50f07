// العربية. A name inside of a sentence is isolated, so that its own direction leaves the rest alone.

import type { Words } from '.';
import { isolated } from './isolated';
import { counted, type Forms } from './plural';

const count = counted('ar');

const MESSAGES: Forms = {
  zero: 'لا رسائل',
  one: 'رسالة واحدة',
  two: 'رسالتان',
  few: '# رسائل',
  many: '# رسالة',
  other: '# رسالة',
};

const NEW: Forms = {
  zero: 'لا رسائل جديدة',
  one: 'رسالة جديدة واحدة',
  two: 'رسالتان جديدتان',
  few: '# رسائل جديدة',
  many: '# رسالة جديدة',
  other: '# رسالة جديدة',
};

const UNREAD: Forms = {
  zero: 'لا رسائل غير مقروءة',
  one: 'رسالة واحدة غير مقروءة',
  two: 'رسالتان غير مقروءتين',
  few: '# رسائل غير مقروءة',
  many: '# رسالة غير مقروءة',
  other: '# رسالة غير مقروءة',
};

const CHARACTERS: Forms = {
  zero: 'لا أحرف',
  one: 'حرف واحد',
  two: 'حرفان',
  few: '# أحرف',
  many: '# حرفًا',
  other: '# حرف',
};

const PEOPLE: Forms = {
  zero: 'لم يُعثر على أحد',
  one: 'عُثر على شخص واحد',
  two: 'عُثر على شخصين',
  few: 'عُثر على # أشخاص',
  many: 'عُثر على # شخصًا',
  other: 'عُثر على # شخص',
};

export const ar: Words = {
  brand: 'chatd',
  title: (unread) => (unread > 0 ? `(${unread}) chatd` : 'chatd'),

  list: {
    label: 'المحادثات',
    you: 'أنت: ',
    draft: 'مسودة:',
    unread: (many) => count(many, UNREAD),
    more: 'عرض المزيد من المحادثات',
    emptyTitle: 'لا أحد هنا بعد',
    emptyText: 'ابحث عن شخص باسمه وألقِ عليه التحية. ستبقى محادثاتك هنا.',
    failedTitle: 'تعذّر تحميل محادثاتك',
    failedText: 'سيحاول chatd من جديد تلقائيًا.',
    moreFailed: 'تعذّر تحميل المزيد من المحادثات.',
    loading: 'جارٍ تحميل محادثاتك',
    notes: 'ملاحظات لنفسك',
    archived: (many) => `المؤرشفة (${many})`,
  },

  search: {
    label: 'البحث عن شخص',
    placeholder: 'ابحث عن شخص…',
    clear: 'مسح البحث',
    start: 'محادثة جديدة',
    people: 'أشخاص',
    none: (text) => `لا يوجد اسم يبدأ بـ «${isolated(text)}».`,
    nothing: (text) => `لا اسم يطابق «${isolated(text)}».`,
    noneHint: 'تحقّق من الكتابة، أو اسأل عن اسم المستخدم بدقة.',
    found: (many) => count(many, PEOPLE),
    loading: 'جارٍ البحث عن أشخاص',
    more: 'هناك المزيد. اكتب جزءًا أطول من الاسم للعثور عليهم.',
    failed: 'تعذّر البحث عن الأشخاص.',
  },

  menu: {
    label: (name) => `قائمة ${isolated(name)}`,
    signedInAs: 'مسجّل الدخول باسم',
    theme: 'المظهر',
    themes: { system: 'النظام', light: 'فاتح', dark: 'داكن' },
    settings: 'الإعدادات',
    signOut: 'تسجيل الخروج',
    unsent: (many) => `لم تُرسل بعد: ${count(many, MESSAGES)}. ستضيع إن خرجت الآن.`,
    signOutAnyway: 'الخروج على أي حال',
    signOutFailed: 'تعذّر تسجيل الخروج. حاول بعد لحظة.',
  },

  welcome: {
    title: 'سعدنا برؤيتك',
    text: 'اختر محادثة، أو ابحث عن شخص تتحدث إليه.',
    firstTitle: 'ابدأ محادثتك الأولى',
    firstText: 'ابحث عن شخص باسمه وألقِ عليه التحية.',
    action: 'البحث عن شخص',
  },

  conversation: {
    region: (peer) => `محادثة مع ${isolated(peer)}`,
    log: (peer) => `الرسائل مع ${isolated(peer)}`,
    back: 'العودة إلى المحادثات',
    begin: (peer) => `هنا بداية محادثتك مع ${isolated(peer)}.`,
    beginSelf: 'ملاحظات لنفسك. أنت وحدك تراها.',
    sayHello: 'اكتب الرسالة الأولى.',
    newMessages: 'رسائل جديدة',
    jump: 'الانتقال إلى الأحدث',
    jumpCount: (many) => `الانتقال إلى الأحدث، ${count(many, NEW)}`,
    loading: 'جارٍ تحميل الرسائل',
    failed: 'تعذّر تحميل هذه الرسائل.',
    unknownTitle: (name) => `لا يوجد أحد باسم «${isolated(name)}»`,
    unknownText: 'ربما كُتب الاسم خطأً، أو لم يعد الحساب موجودًا.',
    unreachableTitle: 'تعذّر فتح هذه المحادثة',
    home: 'العودة إلى محادثاتك',
    heard: (sender, body) => `${isolated(sender)}: ${isolated(body)}`,
    heardMany: (many) => count(many, NEW),
    from: (sender) => `${isolated(sender)}:`,
    mine: 'أنت:',
    code: 'شفرة برمجية',
    gone: 'حساب محذوف',
    time: (time: string) => `التوقيت المحلي: ${time}`,
  },

  message: {
    actions: 'ما يمكن فعله بهذه الرسالة',
    menu: (time) => `ما يمكن فعله برسالة الساعة ${isolated(time)}`,
    you: 'أنت',
    reply: 'ردّ',
    copy: 'نسخ النص',
    edit: 'تعديل',
    remove: 'حذف',
    removeSure: 'حذف هذه الرسالة لكما معًا؟ لا يمكن التراجع عن ذلك.',
    removeFailed: 'تعذّر الحذف.',
    removeYes: 'حذف',
    cancel: 'الإبقاء عليها',
    edited: 'معدّلة',
    deleted: 'حُذفت هذه الرسالة.',
    quoteWaits: 'رسالة سابقة',
  },

  presence: {
    online: 'متصل',
    away: 'بعيد',
    seen: (when) => `آخر ظهور: ${isolated(when)}`,
    typing: 'يكتب…',
  },

  keep: {
    menu: (peer) => `خيارات المحادثة مع ${isolated(peer)}`,
    pin: 'تثبيت في الأعلى',
    unpin: 'إلغاء التثبيت',
    archive: 'أرشفة حتى الرسالة التالية',
    unarchive: 'إعادة إلى القائمة',
    muteHour: 'كتم لمدة ساعة',
    muteEight: 'كتم لمدة ثماني ساعات',
    muteEver: 'كتم حتى أغيّر ذلك',
    unmute: 'إلغاء الكتم',
    pinned: 'مثبّتة',
    muted: 'مكتومة',
    failed: 'تعذّر الحفظ. حاول من جديد.',
  },

  status: {
    sending: 'جارٍ الإرسال',
    stored: 'أُرسلت',
    delivered: 'وصلت',
    read: 'قُرئت',
    failed: 'لم تُرسل',
  },

  failed: {
    unknownReason: 'لم يقبل الخادم هذه الرسالة.',
    nobody: (peer) => `لا يوجد أحد باسم «${isolated(peer)}».`,
    retry: 'إعادة المحاولة',
    edit: 'تعديل',
    discard: 'حذف',
    actions: 'لم تُرسل هذه الرسالة',
  },

  composer: {
    form: 'كتابة رسالة',
    label: (peer) => `رسالة إلى ${isolated(peer)}`,
    placeholder: 'اكتب رسالة…',
    send: 'إرسال',
    save: 'حفظ التعديل',
    saveFailed: 'تعذّر حفظ التعديل. ما كتبته ما زال هنا.',
    replying: 'ردّ على',
    editing: 'تعديل',
    stop: 'إلغاء',
    left: (many) => `المتبقي: ${count(many, CHARACTERS)}`,
    over: (many) => `الرسالة أطول من الحد (${count(many, CHARACTERS)}). اختصرها لإرسالها.`,
  },

  link: {
    down: 'لا يوجد اتصال',
    downText: 'يمكنك قراءة المحفوظ هنا ومتابعة الكتابة. ستُرسل الرسائل عند عودة الاتصال.',
  },

  days: { today: 'اليوم', yesterday: 'أمس' },

  switcher: {
    label: 'اسم شخص',
    placeholder: 'اكتب اسمًا…',
    list: 'المحادثات والأشخاص',
  },

  shortcuts: {
    title: 'اختصارات لوحة المفاتيح',
    switcher: 'الانتقال إلى محادثة أخرى',
    next: 'المحادثة التالية',
    previous: 'المحادثة السابقة',
    send: 'إرسال الرسالة',
    newLine: 'سطر جديد',
    close: 'إغلاق ما هو مفتوح',
    singleKeysOff: 'المفاتيح التي تعمل دون Ctrl أو Alt معطّلة في الإعدادات.',
  },

  keys: { control: 'Ctrl', alt: 'Alt', shift: 'Shift', enter: 'Enter', escape: 'Esc' },

  dialog: { close: 'إغلاق' },

  missing: {
    text: 'تعذّر تحميل هذا الجزء من chatd. تحقّق من الاتصال وأعد تحميل الصفحة.',
    reload: 'إعادة التحميل',
  },

  alerts: { hidden: 'رسالة جديدة' },

  settings: {
    title: 'الإعدادات',
    back: 'العودة إلى الإعدادات',
    pages: {
      account: 'كلمة المرور والأجهزة',
      profile: 'الملف الشخصي',
      invites: 'دعوة أشخاص',
      data: 'بياناتي',
      blocked: 'الأشخاص المحظورون',
      reports: 'البلاغات',
    },
  },

  requests: {
    link: (many) => `الطلبات (${many})`,
    title: 'الطلبات',
    back: 'العودة إلى الطلبات',
    text: 'لم تكتب إلى هؤلاء من قبل. لا يرون إن كنت قد قرأت ما كتبوه.',
    none: 'لا أحد ينتظر قبولك.',
    wants: (name) => `يريد ${isolated(name)} مراسلتك.`,
    hint: 'لا يظهر له إن كنت قد قرأت رسالته. إن كتبت ردًّا فقد قبلت.',
    accept: 'قبول',
    notAccepted: 'تعذّر الحفظ.',
  },

  block: {
    menu: (name) => `حظر ${isolated(name)}`,
    undo: (name) => `إلغاء حظر ${isolated(name)}`,
    title: (name) => `حظر ${isolated(name)}؟`,
    undoTitle: (name) => `إلغاء حظر ${isolated(name)}؟`,
    blocked: (name) => `لقد حظرت ${isolated(name)}.`,
    block: 'حظر',
    unblock: 'إلغاء الحظر',
    notUndone: 'تعذّر إلغاء الحظر.',
  },

  report: {
    menu: 'إبلاغ…',
    title: 'الإبلاغ عن هذه الرسالة',
  },

  start: {
    failedTitle: 'تعذّر الوصول إلى chatd',
    failedText: 'تحاول هذه الصفحة من جديد تلقائيًا.',
    loading: 'جارٍ بدء chatd',
  },

  trouble: {
    unreachable: 'تعذّر الوصول إلى الخادم. تحقّق من الاتصال.',
    busy: 'لدى الخادم مشكلة في هذه اللحظة.',
    refused: 'الخادم لا يسمح بذلك.',
    unwelcome: 'لا يمكن مراسلة هذا الشخص.',
    request: 'عند طلب المساعدة اذكر رقم الطلب',
    again: 'المحاولة من جديد',
  },
};
