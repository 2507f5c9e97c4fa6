// The person's browser, as far as a login by login_hint needs one: it goes where it is sent.
export async function visit(url) {
  const answer = await fetch(url, { redirect: "manual" });
  const location = answer.headers.get("location");
  if (location === null) {
    throw new Error(`no redirect from ${url}: ${answer.status} ${await answer.text()}`);
  }
  return new URL(location);
}
