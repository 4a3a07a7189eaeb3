// Fetches the page again and replaces only the parts that have changed, so that a selection in another part stays.
const PERIOD_MS = 5000;
const stale = document.getElementById("stale");
let answered = new Date();

async function renew() {
  const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(PERIOD_MS) });
  if (!answer.ok) throw new Error(answer.status);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of page.querySelectorAll("main > [id]")) {
    const shown = document.getElementById(part.id);
    if (!shown.isEqualNode(part) && !getSelection().containsNode(shown, true)) shown.replaceWith(part);
  }
  document.title = page.title;
}

async function follow() {
  try {
    await renew();
    answered = new Date();
    stale.hidden = true;
    document.body.dataset.renewed = Number(document.body.dataset.renewed || 0) + 1;
  } catch {
    stale.textContent = `✕ No answer since ${answered.toISOString().slice(11, 19)} UTC. What you see is from then.`;
    stale.hidden = false;
  }
  setTimeout(follow, PERIOD_MS);
}

setTimeout(follow, PERIOD_MS);
