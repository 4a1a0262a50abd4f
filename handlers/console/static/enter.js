// The token is in the fragment, so that a preview of the link does not use it up.
const form = document.getElementById("enter");
const field = document.getElementById("token");
const token = location.hash.slice(1);

if (token) {
  field.value = token;
  document.getElementById("paste").hidden = true;
  history.replaceState(null, "", location.pathname);
  form.requestSubmit();
}
