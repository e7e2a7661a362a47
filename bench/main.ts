#!/usr/bin/env node
/** The program `convoy`. */
import { hideBin } from 'yargs/helpers';
import { runCommandLine } from './command-line.ts';

process.exitCode = await runCommandLine(hideBin(process.argv));
