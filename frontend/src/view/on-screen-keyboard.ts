// Some browsers lay the keyboard of a phone over the page and say so by a smaller visual viewport (Safari; others make
// the page itself smaller: `interactive-widget` in `index.html`). Then the client is as high as what can be seen of it, so
// that the composer stands above the keyboard and the newest message above the composer.

type Screen = Pick<Window, 'innerHeight' | 'visualViewport'>;
type Root = { readonly style: Pick<CSSStyleDeclaration, 'setProperty' | 'removeProperty'> };

/** Less is rounding; the row of keys beside a keyboard of its own is higher. In CSS pixels. */
const KEYBOARD_PX = 24;
/** A scale is never quite 1. */
const ZOOMED = 1.02;

export function followKeyboard(screen: Screen = window, root: Root = document.documentElement): void {
  const view = screen.visualViewport;
  if (!view) return;
  const fit = () => {
    // Who has zoomed in sees a part of the page on purpose.
    const covered = view.scale < ZOOMED && screen.innerHeight - view.height > KEYBOARD_PX;
    const sizes = {
      '--visible': `${view.height}px`,
      '--visible-from': `${view.offsetTop}px`,
      // The keyboard covers the edge that is kept free.
      '--safe-bottom': '0px',
    };
    for (const [name, size] of Object.entries(sizes)) {
      if (covered) root.style.setProperty(name, size);
      else root.style.removeProperty(name);
    }
  };
  view.addEventListener('resize', fit);
  view.addEventListener('scroll', fit);
}
