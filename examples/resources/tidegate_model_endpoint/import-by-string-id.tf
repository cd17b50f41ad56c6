import {
  to = tidegate_model_endpoint.penguins
  id = "local/here/penguins"
}
