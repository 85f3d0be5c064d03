"""What the adapters to Keras 3 and to tf_keras share; neither is imported here."""
