package mobilenet.tf.demo

import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.os.Build
import android.provider.MediaStore

/** Lets the user pick files with the system's own screens, which need no permission. */
class Pickers(private val activity: Activity) {
    /** Pick a photo: with the photo picker from Android 13 on, and as a file before. */
    fun photo(request: Int) {
        val intent =
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) Intent(MediaStore.ACTION_PICK_IMAGES).setType("image/*")
            else document("image/*")
        activity.startActivityForResult(intent, request)
    }

    /** Pick a file of any type; Android knows none for models. */
    fun file(request: Int) = activity.startActivityForResult(document("*/*"), request)

    private fun document(type: String) =
        Intent(Intent.ACTION_OPEN_DOCUMENT).addCategory(Intent.CATEGORY_OPENABLE).setType(type)
}

/**
 * Return the dialog that selects, opens and deletes models.
 *
 * @param present shows the dialog that deletes models instead of this one.
 */
fun modelDialog(
    activity: Activity,
    names: List<String>,
    deletable: List<String>,
    session: LiveSession,
    present: (AlertDialog) -> Unit,
    openFile: () -> Unit,
): AlertDialog {
    val items = (names + activity.getString(R.string.open_file)).toTypedArray()
    val builder = AlertDialog.Builder(activity)
        .setTitle(R.string.model)
        .setItems(items) { _, index -> names.getOrNull(index)?.let { session.useModel(it) } ?: openFile() }
    if (deletable.isNotEmpty()) {
        builder.setNeutralButton(R.string.delete_models) { _, _ -> present(deleteDialog(activity, deletable, session)) }
    }
    return builder.create()
}

private fun deleteDialog(activity: Activity, deletable: List<String>, session: LiveSession): AlertDialog {
    val selected = BooleanArray(deletable.size)
    return AlertDialog.Builder(activity)
        .setTitle(R.string.delete_models)
        .setMultiChoiceItems(deletable.toTypedArray(), null) { _, index, checked -> selected[index] = checked }
        .setPositiveButton(R.string.delete) { _, _ -> deletable.filterIndexed { index, _ -> selected[index] }.forEach(session::deleteModel) }
        .setNegativeButton(android.R.string.cancel, null)
        .create()
}
