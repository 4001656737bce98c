// Calls the email example with the client that openapi-generator made of it for Go.
package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"example.org/gateway"
)

func main() {
	configuration := gateway.NewConfiguration()
	configuration.Servers = gateway.ServerConfigurations{{URL: os.Args[1]}}
	email := gateway.NewAPIClient(configuration).EmailAPI
	// The example's key.
	keys := map[string]gateway.APIKey{"api_key": {Key: "gk_demo_let-me-try-it-please"}}
	ctx := context.WithValue(context.Background(), gateway.ContextAPIKeys, keys)
	key := fmt.Sprintf("go-%d", time.Now().UnixNano())

	message := gateway.NewSendRequest([]string{"ada@example.org"}, "Grüße", "Hello")
	message.SetHtml("<p>Hello</p>")
	sent, _, err := email.EmailSend(ctx).SendRequest(*message).IdempotencyKey(key).Execute()
	must(err == nil, err)
	must(sent.Provider == "smtp" && sent.MessageId != "", sent)
	again, _, err := email.EmailSend(ctx).SendRequest(*message).IdempotencyKey(key).Execute()
	must(err == nil && *again == *sent, again)
	_, _, err = email.EmailSend(ctx).SendRequest(*gateway.NewSendRequest(message.To, "Grüße", "Other")).IdempotencyKey(key).Execute()
	must(refusal(err).Code == "idempotency-mismatch", err)

	// Tells that it has arrived, signed as Standard Webhooks has it.
	delivered := func(secret string) error {
		now := time.Now().Unix()
		hash := hmac.New(sha256.New, []byte(secret))
		// The bytes that the client sends.
		fmt.Fprintf(hash, "msg_1.%d.{\"message_id\":%q}\n", now, sent.MessageId)
		code := base64.StdEncoding.EncodeToString(hash.Sum(nil))
		_, err := email.EmailDeliveredWebhook(ctx).WebhookId("msg_1").WebhookTimestamp(now).WebhookSignature("v1," + code).
			Delivered(*gateway.NewDelivered(sent.MessageId)).Execute()
		return err
	}
	must(refusal(delivered("another secret")).Status == 401, "another secret")
	err = delivered("only for stand-ins")
	must(err == nil, err)

	status, _, err := email.EmailStatus(ctx).MessageId(sent.MessageId).Execute()
	must(err == nil, err)
	must(status.State == gateway.STATE_DELIVERED && status.Provider == "smtp" && !status.Reason.IsSet() || status.Reason.Get() == nil, status)

	_, _, err = email.EmailSend(ctx).SendRequest(*gateway.NewSendRequest([]string{"ada"}, "Grüße", "Hello")).Execute()
	problem := refusal(err)
	must(problem.Code == "invalid-request" && problem.Errors[0].Pointer == "/to/0", problem)

	fmt.Println("Go: send, status and a signed webhook answered; refusals came as problems")
}

// The problem that a call is refused with.
func refusal(err error) gateway.Problem {
	var refusal *gateway.GenericOpenAPIError
	must(errors.As(err, &refusal), err)
	problem, is_problem := refusal.Model().(gateway.Problem)
	must(is_problem, refusal)
	return problem
}

func must(holds bool, found any) {
	if !holds {
		log.Panicf("%+v", found)
	}
}
