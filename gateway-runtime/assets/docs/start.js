// Every address here is relative, so that the page also works behind a path prefix.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  deepLinking: true,
  tryItOutEnabled: true,
  displayRequestDuration: true,
  // The default would send the description to a validator on the internet.
  validatorUrl: null,
});
