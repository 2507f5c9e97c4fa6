"use strict";
// Asks every second whether the phone has answered; the page itself knows what to show then.
const line = document.getElementById("status");
async function look() {
  try {
    const answer = await fetch(line.dataset.address, { cache: "no-store" });
    if (!answer.ok || (await answer.json()).status !== "pending") {
      location.reload();
      return;
    }
    line.textContent = "En attente de votre réponse…";
  } catch {
    line.textContent = "Le serveur ne répond pas, nouvel essai…";
  }
  setTimeout(look, 1000);
}
setTimeout(look, 1000);
