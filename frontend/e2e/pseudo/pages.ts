import { en } from '../../src/words/pages-en';
import { longer } from './longer';

export const de = longer(en);
