/* SimCord's page, with command lines that a press puts into the message box. */
import "/simcord.js";

const BOX = "channel-composer-input";
const QUESTIONS = ["autocomplete_command", "browse_candidates"];
const FINE_POINTER = matchMedia("(pointer: fine)").matches;
const messages = document.getElementById("channel-message-list");
const composer = document.getElementById("channel-composer");
const send = document.getElementById("send-message");

document.title = "SkinDesk demo";

new MutationObserver(() => {
  for (const block of messages.querySelectorAll(".code-block:not([role])")) {
    if (!block.textContent.startsWith("/")) continue;
    block.tabIndex = 0;
    block.setAttribute("role", "button");
  }
}).observe(messages, { childList: true, subtree: true });

function press(event) {
  const line = event.target instanceof Element && event.target.closest('.code-block[role="button"]');
  if (!line || !getSelection().isCollapsed) return;
  event.preventDefault();
  document.querySelector(".command-context-close")?.click(); // another command that is being composed
  const box = document.getElementById(BOX);
  box.value = line.textContent.trim();
  box.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertFromPaste" }));
  box.focus({ preventScroll: true });
}

document.addEventListener("click", press);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") press(event);
});

// For "/" SimCord opens its list of commands, in which Enter chooses. A whole line is to be sent instead.
document.addEventListener("input", (event) => {
  if (event.inputType !== "insertFromPaste" || event.target.id !== BOX) return;
  event.target.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
});

// Discord suggests values as soon as an option is entered, SimCord when something is typed there.
document.addEventListener("focusin", ({ target }) => {
  if (target.matches(".command-option-input[role=combobox]") && !target.value) target.dispatchEvent(new Event("input"));
});

// SimCord takes no command while it asks for suggestions, and disables the button. Here it is sent after that.
let held = false;

function hold(event) {
  if (!window.simcordPreview.pendingAction) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (held) return;
  held = true;
  const timer = setInterval(() => {
    if (window.simcordPreview.pendingAction) return;
    clearInterval(timer);
    held = false;
    composer.requestSubmit();
  }, 50);
}

document.addEventListener("submit", hold, true);
document.addEventListener(
  "keydown",
  (event) => {
    const sends = event.key === "Enter" && event.target.closest(".command-row");
    if (sends && !document.querySelector(".command-popup:not([hidden]) .command-suggestion")) hold(event);
  },
  true,
);

let composing = false;
document.addEventListener("focusin", (event) => {
  composing = composer.contains(event.target);
});

new MutationObserver(() => {
  if (send.disabled) {
    if (QUESTIONS.includes(window.simcordPreview.pendingAction?.kind)) send.disabled = false;
  } else if (FINE_POINTER && composing && document.activeElement === document.body) {
    // SimCord drops the focus with each command. On a phone that closes the keyboard, and shows more of the answer.
    document.getElementById(BOX)?.focus({ preventScroll: true });
  }
}).observe(send, { attributeFilter: ["disabled"] });
