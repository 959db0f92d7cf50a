// A picture of a whole page shows the bar of actions at its end, where it does not lie over the
// rest, and every picture that loads late.
for (const bar of document.querySelectorAll(".actions, .paper-bar")) bar.style.position = "static";
for (const image of document.querySelectorAll("img[loading=lazy]")) image.loading = "eager";
return null;
