// npm's braze-api on Node: braze_api.mjs FOLDER CALLS WARM_UP [IN_FLIGHT]
// FOLDER is where it was installed. It hands back the body alone: status and rate limit can't be read through it.
// BRAZE_API_KEY and BRAZE_REST_ENDPOINT are in the environment, and NODE_EXTRA_CA_CERTS where it is https.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [folder, calls, warmUp, inFlight = 1] = process.argv.slice(2).map((word, i) => (i === 0 ? resolve(word) : Number(word)));
const require = createRequire(folder + "/");
const { Braze } = require("braze-api");
const { version } = JSON.parse(readFileSync(folder + "/node_modules/braze-api/package.json", "utf8"));

const braze = new Braze(process.env.BRAZE_REST_ENDPOINT, process.env.BRAZE_API_KEY);
let bad = 0;

async function call() {
  const answer = await braze.sends.id.create({
    campaign_id: "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b",
    send_id: "send_identifier",
  });
  if (answer.message !== "success" || !answer.send_id) bad++;
}

async function run(count) {
  let begun = 0;
  async function one() {
    while (begun++ < count) await call();
  }
  await Promise.all(Array.from({ length: inFlight }, one));
}

await run(warmUp);
const wall = process.hrtime.bigint();
const before = process.cpuUsage();
await run(calls);
const cpu = process.cpuUsage(before);
console.log(
  JSON.stringify({
    peer: "npm braze-api, Node " + process.version,
    version: `braze-api ${version}, Node ${process.version}`,
    n: calls,
    bad,
    wall_us: Number(process.hrtime.bigint() - wall) / 1e3 / calls,
    cpu_us: (cpu.user + cpu.system) / calls,
  }),
);
