package mobilenet.tf.tasks

import mobilenet.tf.core.UserError

/** All tasks, by the name in the metadata of files. */
object Tasks {
    private const val DEFAULT = "classification"

    private val all = mapOf<String, (Description) -> Task>(
        DEFAULT to { Classification(it) },
        "detection" to { Detection(it) },
        "segmentation" to { Segmentation(it) },
        "embedding" to { Embedding(it) },
        "multilabel" to { MultiLabel(it) },
        "geolocation" to { geolocation(it) },
    )

    val names: Set<String> get() = all.keys

    /**
     * Return what a file is for; classification if it does not say.
     *
     * @throws UserError if this app does not know the task, or the outputs or settings are not its own.
     */
    fun of(file: Description): Task {
        val name = file.settings.text("name") ?: DEFAULT
        val make = all[name] ?: throw UserError("The model's task is ${name.take(40)}; the app knows ${names.joinToString(", ")}.")
        return make(file)
    }
}
