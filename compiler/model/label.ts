// Texts of a file that are not looked into: the name that reports print, and the schema that an editor goes by. Lengths of
// texts and lists are not checked by zod's min and max: those also look at the `length` of what is no text or list at all,
// and `{"length": {"toString": null}}` stops them.

import { z } from 'zod';
import { show } from './located.ts';

export const label = (what: string) =>
  z
    .string()
    .regex(/^.{1,80}$/su, {
      error: ({ input }) => `wrong length, got ${show(input)}, allowed text of 1 to 80 characters`,
    })
    .optional()
    .describe(what);

export const editorSchema = z.string().optional().describe('for editors');
