// Every address here is relative, so that the page also works behind a path prefix.
fetch("openapi.json")
  .then((response) => response.json())
  .then((spec) => {
    document.title = spec.info.title;
    // What is called from here is the gateway that this page came from, whatever its public address.
    spec.servers = [{ url: new URL(".", location.href).pathname.replace(/\/$/, "") || "/" }];
    addExamples(spec);
    SwaggerUIBundle({
      spec,
      dom_id: "#page",
      deepLinking: true,
      tryItOutEnabled: true,
      displayRequestDuration: true,
      // The default would send the description to a validator on the internet.
      validatorUrl: null,
    });
  });
