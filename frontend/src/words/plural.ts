// Numbers with their nouns. A language has as many forms as `Intl.PluralRules` says; `other` stands for those not given.

export type Forms = { readonly other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/** `#` stands for the number; a form without it has the number before it. */
export function counted(language: string): (number: number, forms: Forms) => string {
  const rules = new Intl.PluralRules(language);
  const digits = new Intl.NumberFormat(language);
  return (number, forms) => {
    const form = forms[rules.select(number)] ?? forms.other;
    return form.includes('#') ? form.replace('#', digits.format(number)) : `${digits.format(number)} ${form}`;
  };
}
