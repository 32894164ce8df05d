/** `npm run export-names`: writes the snapshot of what the public entries export, after a name was meant to come or go. */
import { writeFileSync } from "node:fs";
import { exportedNames, snapshotFile } from "./internal/exported-names.ts";

writeFileSync(snapshotFile, `${JSON.stringify(exportedNames(), undefined, 2)}\n`);
