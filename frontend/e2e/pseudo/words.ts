import { en } from '../../src/words/en';
import { longer } from './longer';

export const de = longer(en);
