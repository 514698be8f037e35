// The pages for paper: the dialogue opens by itself once every picture is there, and again by the button.

const button = document.querySelector("[data-print]");
button.hidden = false;
button.addEventListener("click", () => print());
const pictures = [...document.querySelectorAll(".sheet img")];
Promise.all(pictures.map((picture) => picture.decode())).then(() => print(), () => {});
